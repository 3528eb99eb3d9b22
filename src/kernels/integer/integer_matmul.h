// SPDX-License-Identifier: MIT
// Products of activations rounded to 8 bits with int8 weights: twice the multiplications a cycle of
// bf16 products where there are instructions for it, and an error of their own. Bits do not depend
// on threads, blocks or the instruction set.
#pragma once

#include "kernels/kernel_set.h"
#include "kernels/matmul/epilogue.h"
#include "tensor/arena.h"
#include "tensor/integer_rows.h"
#include "tensor/packed.h"
#include "tensor/weight.h"

namespace vl2 {

// Each row of x, bf16, by the scale that makes its largest number 127, rounded to nearest, ties to
// even. The scale of a row with a number that is not finite is not-a-number.
IntegerRows quantize_rows(const KernelSet& kernels, const ThreadTeam& team, const Packed& x,
                          Arena& arena);

// out[i][n] = (sum over k of codes[i][k] * code[n][k]) * scale[i] * multiplier[n], through the
// epilogue. Of weights of format int8, a stack of one, depth == x.width <= kMostIntegerDepth.
void integer_matmul(const KernelSet& kernels, const ThreadTeam& team, const IntegerRows& x,
                    const Weight& weight, const Epilogue& epilogue);

}  // namespace vl2
