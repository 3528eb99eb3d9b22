// SPDX-License-Identifier: MIT
#include "kernels/limits/limits.h"

#include <cmath>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(Limits, EveryInstructionSetHasAPeak) {
  for (const Isa isa : cpu_isas())
    for (const Operand operand : {Operand::f32, Operand::bf16}) {
      const double peak = measure_matmul_peak(isa, operand, ThreadTeam(2));
      EXPECT_TRUE(std::isfinite(peak)) << to_string(isa);
      EXPECT_GT(peak, 1e6) << to_string(isa);  // a million additions a second: any machine
    }
}

TEST(Limits, MemoryCanBeRead) {
  const double bandwidth = measure_read_bandwidth(ThreadTeam(2));
  EXPECT_TRUE(std::isfinite(bandwidth));
  EXPECT_GT(bandwidth, 1e6);
}

}  // namespace
}  // namespace vl2
