// SPDX-License-Identifier: MIT
// What happens to a block of sums while it is still in the first-level cache.
#pragma once

#include <cstddef>
#include <variant>

#include "tensor/packed.h"
#include "tensor/rows.h"

namespace vl2 {

enum class Gelu {
  tanh,  // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), the vision tower's
  erf,   // x/2 (1 + erf(x / sqrt 2)), the projector's
};

// out = sums (+ bias), or out += sums (+ bias). Bias: [columns] or null.
struct StoreRows {
  Rows out;
  const float* bias = nullptr;
  bool add = false;
};
// out = round(gelu(sums + bias)), packed for the next product. out.width = columns.
struct StoreGelu {
  Packed out;
  const float* bias = nullptr;
  Gelu gelu = Gelu::tanh;
};
// Columns come in pairs of panels (16 of gate, 16 of up): out = round(silu(gate) * up), packed for
// the next product. out.width = columns / 2.
struct StoreGated {
  Packed out;
};
using Epilogue = std::variant<StoreRows, StoreGelu, StoreGated>;

// Where a block of sums belongs.
struct BlockPlace {
  std::size_t row = 0;     // first row, a multiple of 16
  std::size_t rows = 0;    // 1..32
  std::size_t column = 0;  // first column, a multiple of 32
};

}  // namespace vl2
