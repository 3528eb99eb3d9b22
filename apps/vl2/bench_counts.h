// SPDX-License-Identifier: MIT
// What a model must compute and read at least, counted from its shape: the measure that speeds are
// divided by. Padding, repeated reads and anything else an implementation adds is not counted.
#pragma once

#include <cstddef>

#include "checkpoint/model_config.h"
#include "checkpoint/recipe.h"

namespace vl2 {

// Floating-point operations (a multiply-add is two) of one picture tile through vision tower and
// projector. Norms, activations and softmax are left out: they are less than 1 %.
double vision_flops_per_tile(const ModelConfig& config);

// Of the tokens at positions first .. first + count - 1 with `wanted` rows of logits: two for each
// parameter a token is multiplied with, and the two products of attention over the keys that it
// sees.
struct TokenRange {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t wanted = 1;
};
double language_flops(const ModelConfig& config, TokenRange tokens);

// Bytes read to generate the token at `position`: every active parameter once, with the scales of
// int4 groups, and the keys and values of all positions up to this one.
double bytes_per_generated_token(const ModelConfig& config, Recipe recipe, std::size_t position);

// The same for a step in which so many streams each generate the token at `position`. Weights are
// read once for all of them; of the routed experts those that so many tokens choose when all are
// equally likely.
struct StepLoad {
  std::size_t streams = 1;
  std::size_t position = 0;
};
double bytes_per_step(const ModelConfig& config, Recipe recipe, const StepLoad& load);

}  // namespace vl2
