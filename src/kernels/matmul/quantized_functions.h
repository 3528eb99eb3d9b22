// SPDX-License-Identifier: MIT
// Declares the functions that quantized_kernels.inc names.
#pragma once

#include <cstddef>

#include "kernels/matmul/block_product.h"

namespace vl2::matmul_functions {

#define VL2_QUANTIZED_KERNEL(name, isa, weights, many_rows, scale, expand, run_expanded, \
                             expanded_bytes)                                             \
  void name(const BlockProduct& product);                                                \
  void scale(float* sums, std::size_t rows, const float* multipliers);                   \
  void expand(const std::byte* steps, std::size_t count, std::byte* expanded);           \
  void run_expanded(const BlockProduct& product);
#include "kernels/matmul/quantized_kernels.inc"
#undef VL2_QUANTIZED_KERNEL

}  // namespace vl2::matmul_functions
