// SPDX-License-Identifier: MIT
// Which kernels the tests of this folder go through.
#pragma once

#include <algorithm>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"
#include "kernels/amx_emulator.h"
#include "kernels/matmul/matmul_kernel.h"

namespace vl2 {

// By the processor itself, or, for AMX, by the emulator.
inline bool can_run(Isa isa) {
  const auto isas = cpu_isas();
  if (std::find(isas.begin(), isas.end(), isa) != isas.end()) return true;
  return isa == Isa::amx && install_amx_emulator();
}

inline std::vector<const MatmulKernel*> kernel_pointers() {
  std::vector<const MatmulKernel*> pointers;
  for (const MatmulKernel& kernel : matmul_kernels()) pointers.push_back(&kernel);
  return pointers;
}

}  // namespace vl2
