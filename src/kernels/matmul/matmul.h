// SPDX-License-Identifier: MIT
// Products of packed activations with packed weights: blocking for the second-level cache and
// shares for threads. Which thread computes a number, and in which block, never changes it.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/kernel_set.h"
#include "kernels/matmul/epilogue.h"
#include "tensor/packed.h"
#include "tensor/weight.h"

namespace vl2 {

// out[i][n] = sum over k of x[i][k] * weight[n][k], through the epilogue. x.stack == weight.stack
// == 1, x.width == weight.depth(). Weights are read from memory once for every 256 rows or so.
// Weights of any format whose operand is x's: those of quantized formats count as the bf16 numbers
// they stand for, and the sum is multiplied by the column's multiplier before the epilogue.
void matmul(const KernelSet& kernels, const ThreadTeam& team, const Packed& x, const Weight& weight,
            const Epilogue& epilogue);

// Matrix i of x with matrix i of the weight, all in one sweep over the threads; epilogues[i] says
// where the result goes.
void matmul_stack(const KernelSet& kernels, const ThreadTeam& team, const Packed& x,
                  const Weight& weight, std::span<const Epilogue> epilogues);

}  // namespace vl2
