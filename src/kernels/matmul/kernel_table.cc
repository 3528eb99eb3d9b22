// SPDX-License-Identifier: MIT
#include "base/check.h"
#include "kernels/matmul/kernel_functions.h"
#include "kernels/matmul/matmul_kernel.h"

namespace vl2 {
namespace {

void configure_nothing(std::size_t) {}
void release_nothing() {}

constexpr MatmulKernel kKernels[] = {
#define VL2_MATMUL_KERNEL(name, isa, operand, exact_order)    \
  {#name,          Isa::isa,          Operand::operand,       \
   exact_order,    configure_nothing, matmul_functions::name, \
   release_nothing},
#define VL2_MATMUL_TILE_KERNEL(name, isa, operand, exact_order) \
  {#name,                                                       \
   Isa::isa,                                                    \
   Operand::operand,                                            \
   exact_order,                                                 \
   matmul_functions::name##_configure,                          \
   matmul_functions::name,                                      \
   matmul_functions::name##_release},
#include "kernels/matmul/kernels.inc"
#undef VL2_MATMUL_KERNEL
#undef VL2_MATMUL_TILE_KERNEL
};

}  // namespace

std::span<const MatmulKernel> matmul_kernels() { return kKernels; }

const MatmulKernel& matmul_kernel(Isa isa, Operand operand) {
  const MatmulKernel* best = nullptr;
  for (const MatmulKernel& kernel : kKernels)
    if (kernel.operand == operand && kernel.isa <= isa) best = &kernel;
  VL2_CHECK(best != nullptr);
  return *best;
}

}  // namespace vl2
