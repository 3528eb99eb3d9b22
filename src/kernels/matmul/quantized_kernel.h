// SPDX-License-Identifier: MIT
// Products with quantized weights. A step of a quantized pair stands for two bf16 tiles, exactly,
// and a product with the steps is the product with those tiles: the sums have the same bits,
// whether the tiles are made in registers while few rows pass by or in the cache for many.
#pragma once

#include <cstddef>
#include <span>

#include "base/cpu.h"
#include "kernels/matmul/block_product.h"
#include "tensor/weight.h"

namespace vl2 {

struct QuantizedKernel {
  const char* name;
  Isa isa;
  WeightFormat weights;
  // From so many rows on it is faster to expand first and to multiply with the bf16 kernel.
  std::size_t many_rows;
  // As MatmulKernel::run of the instruction set's bf16 kernel, which configures and releases for
  // both, but `right` holds steps of the format. Sums are not yet multiplied by the columns'
  // multipliers.
  void (*run)(const BlockProduct& product);
  // `count` steps to twice as many bf16 tiles at `tiles`, 64-byte aligned.
  void (*expand)(const std::byte* steps, std::size_t count, std::byte* tiles);
  // Multiplies `rows` rows of sums [32][32] by the multipliers [32] of their columns.
  void (*scale)(float* sums, std::size_t rows, const float* multipliers);
};

// All that are compiled into this program, whether or not this processor can run them.
std::span<const QuantizedKernel> quantized_kernels();
// The one of an instruction set, or of the nearest plainer one that has it, for a quantized format.
const QuantizedKernel& quantized_kernel(Isa isa, WeightFormat format);

}  // namespace vl2
