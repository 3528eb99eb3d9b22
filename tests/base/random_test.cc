// SPDX-License-Identifier: MIT
#include "base/random.h"

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(Random, IsAFunctionOfSeedAndPosition) {
  EXPECT_EQ(random_bits(1, 2), random_bits(1, 2));
  EXPECT_NE(random_bits(1, 2), random_bits(1, 3));
  EXPECT_NE(random_bits(1, 2), random_bits(2, 2));
}

TEST(Random, UnitIsUniform) {
  double sum = 0;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const double value = random_unit(7, i);
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

}  // namespace
}  // namespace vl2
