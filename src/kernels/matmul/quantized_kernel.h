// SPDX-License-Identifier: MIT
// Products with quantized weights, whose steps meet few rows as they are and many after they were
// expanded: the sums have the same bits either way. Where an expanded step is two bf16 tiles, they
// are also those of the bf16 kernel with these tiles, which stand for the weights exactly.
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
  // Multiplies `rows` rows of sums [32][32] by the multipliers [32] of their columns.
  void (*scale)(float* sums, std::size_t rows, const float* multipliers);
  // `count` steps to as many of `expanded_bytes` at `expanded`, 64-byte aligned.
  void (*expand)(const std::byte* steps, std::size_t count, std::byte* expanded);
  // As `run`, but `right` holds expanded steps.
  void (*run_expanded)(const BlockProduct& product);
  // kBf16StepBytes if a step becomes two bf16 tiles, see expanded_step.h.
  std::size_t expanded_bytes;
};

// All that are compiled into this program, whether or not this processor can run them.
std::span<const QuantizedKernel> quantized_kernels();
// The one of an instruction set, or of the nearest plainer one that has it, for a quantized format.
const QuantizedKernel& quantized_kernel(Isa isa, WeightFormat format);

}  // namespace vl2
