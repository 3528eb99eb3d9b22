// SPDX-License-Identifier: MIT
#include "kernels/attention/attention_kernel.h"

#include "base/check.h"
#include "kernels/attention/kernel_tables.h"

namespace vl2 {

std::span<const AttentionKernel> attention_kernels() {
  static const AttentionKernel kernels[] = {
      attention_portable(Operand::f32), attention_portable(Operand::bf16),
#ifdef __x86_64__
      attention_avx2(Operand::f32),     attention_avx2(Operand::bf16),
      attention_avx512(Operand::f32),   attention_avx512(Operand::bf16),
#endif
  };
  return kernels;
}

const AttentionKernel& attention_kernel(Isa isa, Operand operand) {
  const AttentionKernel* best = nullptr;
  for (const AttentionKernel& kernel : attention_kernels())
    if (kernel.operand == operand && kernel.isa <= isa) best = &kernel;
  VL2_CHECK(best != nullptr);
  return *best;
}

}  // namespace vl2
