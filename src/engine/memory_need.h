// SPDX-License-Identifier: MIT
// What a run takes at its peak, told before anything is loaded.
#pragma once

#include <cstddef>

#include "checkpoint/model_config.h"
#include "checkpoint/recipe.h"
#include "engine/scheduler.h"

namespace vl2 {

// One request at a time, as `vl2 run` has them.
struct RunShape {
  Recipe recipe = Recipe::bf16;
  std::size_t context_tokens = 0;  // that prompts and answers come to use
  StepLimits limits = {};
  std::size_t tiles_at_once = 2;
  std::size_t threads = 1;
};

// Bytes. Pictures count as one of the most tiles there are; decoding a file takes three bytes a
// pixel more for a moment, and is not counted.
struct MemoryNeed {
  std::size_t weights = 0;
  std::size_t kv_cache = 0;
  std::size_t activations = 0;
  std::size_t pictures = 0;
  std::size_t program = 0;  // with the tokenizer

  std::size_t total() const noexcept {
    return weights + kv_cache + activations + pictures + program;
  }
};

MemoryNeed memory_need(const ModelConfig& config, const RunShape& run);

// What the weights of such a model take in memory: exact if the embedding is bf16.
std::size_t estimated_weight_bytes(const ModelConfig& config, Recipe recipe);

// Keys and values of one token in all layers.
std::size_t kv_bytes_per_token(const LanguageConfig& config, Recipe recipe);

}  // namespace vl2
