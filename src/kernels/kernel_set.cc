// SPDX-License-Identifier: MIT
#include "kernels/kernel_set.h"

#include "kernels/attention/attention_kernel.h"
#include "kernels/integer/integer_kernel.h"

namespace vl2 {

KernelSet KernelSet::of(Isa isa, Operand operand) {
  return {isa,
          operand,
          &matmul_kernel(isa, operand),
          &integer_kernel(isa),
          &attention_kernel(isa, operand),
          &rowwise_kernels(isa)};
}

}  // namespace vl2
