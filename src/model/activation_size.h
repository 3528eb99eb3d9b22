// SPDX-License-Identifier: MIT
// What the activations of a step take, from the configuration alone: the forward pass once more, in
// bytes.
#pragma once

#include <cstddef>

#include "checkpoint/model_config.h"
#include "tensor/tiles.h"

namespace vl2 {

struct StepSize {
  std::size_t tokens = 0;       // through the decoder
  std::size_t wanted_rows = 0;  // of them through the head
  std::size_t tiles = 0;        // through the vision tower, before the decoder
  std::size_t threads = 1;
  Operand operand = Operand::bf16;
  bool integer_vision = false;
};

// Bytes of the arena, for tokens that spread evenly over the experts.
std::size_t activation_bytes(const ModelConfig& config, const StepSize& step);

}  // namespace vl2
