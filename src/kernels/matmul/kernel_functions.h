// SPDX-License-Identifier: MIT
// Declares the functions that kernels.inc names.
#pragma once

#include <cstddef>

#include "kernels/matmul/block_product.h"

namespace vl2::matmul_functions {

#define VL2_MATMUL_KERNEL(name, isa, operand, exact_order) void name(const BlockProduct& product);
#define VL2_MATMUL_TILE_KERNEL(name, isa, operand, exact_order) \
  void name(const BlockProduct& product);                       \
  void name##_configure(std::size_t rows);                      \
  void name##_release();
#include "kernels/matmul/kernels.inc"
#undef VL2_MATMUL_KERNEL
#undef VL2_MATMUL_TILE_KERNEL

}  // namespace vl2::matmul_functions
