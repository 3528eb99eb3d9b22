// SPDX-License-Identifier: MIT
#include "base/check.h"
#include "kernels/matmul/expanded_step.h"
#include "kernels/matmul/quantized_functions.h"
#include "kernels/matmul/quantized_kernel.h"

namespace vl2 {
namespace {

constexpr QuantizedKernel kKernels[] = {
#define VL2_QUANTIZED_KERNEL(name, isa, weights, many_rows, scale, expand, run_expanded, \
                             expanded_bytes)                                             \
  {#name,                                                                                \
   Isa::isa,                                                                             \
   WeightFormat::weights,                                                                \
   many_rows,                                                                            \
   matmul_functions::name,                                                               \
   matmul_functions::scale,                                                              \
   matmul_functions::expand,                                                             \
   matmul_functions::run_expanded,                                                       \
   expanded_bytes},
#include "kernels/matmul/quantized_kernels.inc"
#undef VL2_QUANTIZED_KERNEL
};

}  // namespace

std::span<const QuantizedKernel> quantized_kernels() { return kKernels; }

const QuantizedKernel& quantized_kernel(Isa isa, WeightFormat format) {
  const QuantizedKernel* best = nullptr;
  for (const QuantizedKernel& kernel : kKernels)
    if (kernel.weights == format && kernel.isa <= isa) best = &kernel;
  VL2_CHECK(best != nullptr);
  return *best;
}

}  // namespace vl2
