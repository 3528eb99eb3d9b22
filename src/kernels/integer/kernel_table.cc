// SPDX-License-Identifier: MIT
#include "base/check.h"
#include "kernels/integer/integer_functions.h"
#include "kernels/integer/integer_kernel.h"

namespace vl2 {
namespace {

using namespace integer_functions;

constexpr std::size_t kByteTile = std::size_t{64} * 32;
constexpr std::size_t kWordTile = 2 * kByteTile;

// Plainer instruction sets first.
constexpr IntegerKernel kKernels[] = {
    {"portable", Isa::portable, kByteTile, 0, portable_expand, portable},
#ifdef __x86_64__
    {"avx2", Isa::avx2, kWordTile, 0, avx2_expand, avx2},
    {"avx512", Isa::avx512_bf16, kByteTile, 128, avx512_expand, avx512},
#endif
};

}  // namespace

std::span<const IntegerKernel> integer_kernels() { return kKernels; }

const IntegerKernel& integer_kernel(Isa isa) {
  const IntegerKernel* best = nullptr;
  for (const IntegerKernel& kernel : kKernels)
    if (kernel.isa <= isa) best = &kernel;
  VL2_CHECK(best != nullptr);
  return *best;
}

}  // namespace vl2
