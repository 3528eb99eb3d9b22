// SPDX-License-Identifier: MIT
// The kernel sets whose attention this machine can run, for value-parameterised tests.
#pragma once

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "kernels/amx_emulator.h"
#include "kernels/kernel_set.h"

namespace vl2 {

// On the processor itself, or for AMX in the emulator of tile instructions.
inline bool can_run(Isa isa) {
  const auto isas = cpu_isas();
  if (std::find(isas.begin(), isas.end(), isa) != isas.end()) return true;
  return isa == Isa::amx && install_amx_emulator();
}

// Tile instructions may be emulated, thousands of times slower than they are.
inline bool is_slow(const KernelSet& kernels) {
  return kernels.isa == Isa::portable || kernels.matmul->isa == Isa::amx;
}

inline std::vector<KernelSet> runnable_kernel_sets() {
  std::vector<KernelSet> sets;
  for (const Isa isa : kAllIsas)
    for (const Operand operand : {Operand::f32, Operand::bf16}) {
      const KernelSet set = KernelSet::of(isa, operand);
      // An instruction set without kernels of its own for this operand adds nothing.
      if (set.matmul->isa == isa && can_run(isa)) sets.push_back(set);
    }
  return sets;
}

inline std::string name_of(const KernelSet& kernels) {
  return std::string(to_string(kernels.isa)) + (kernels.operand == Operand::f32 ? "_f32" : "_bf16");
}
// How GoogleTest prints a parameter.
inline void PrintTo(const KernelSet& kernels, std::ostream* out) { *out << name_of(kernels); }
inline std::string kernel_set_name(const testing::TestParamInfo<KernelSet>& info) {
  return name_of(info.param);
}

}  // namespace vl2
