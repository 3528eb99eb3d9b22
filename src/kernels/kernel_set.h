// SPDX-License-Identifier: MIT
// One choice of a kernel in every family, and the threads that run them.
#pragma once

#include "base/cpu.h"
#include "base/parallel.h"
#include "kernels/matmul/matmul_kernel.h"
#include "kernels/rowwise/rowwise.h"

namespace vl2 {

struct AttentionKernel;
struct IntegerKernel;

// Immutable, a few pointers; copy freely.
struct KernelSet {
  Isa isa;
  Operand operand;  // what activations are rounded to before a matmul
  const MatmulKernel* matmul;
  const IntegerKernel* integer;
  const AttentionKernel* attention;
  const RowwiseKernels* rowwise;

  // Does not check that this processor can run it: pass one of cpu_isas().
  static KernelSet of(Isa isa, Operand operand);
};

}  // namespace vl2
