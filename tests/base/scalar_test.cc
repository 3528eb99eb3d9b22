// SPDX-License-Identifier: MIT
#include "base/scalar.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(Bf16, WidensExactly) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Bf16 value{static_cast<std::uint16_t>(bits)};
    if (std::isnan(to_float(value))) continue;
    EXPECT_EQ(to_bf16(to_float(value)), value);
  }
}

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(to_float(to_bf16(1.0F + 0x1p-8F)), 1.0F);
  EXPECT_EQ(to_float(to_bf16(1.0F + 0x3p-8F)), 1.0F + 0x1p-6F);
  EXPECT_EQ(to_float(to_bf16(1.0F + 0x1p-8F + 0x1p-20F)), 1.0F + 0x1p-7F);
}

TEST(Bf16, KeepsNanAndInfinity) {
  EXPECT_TRUE(std::isnan(to_float(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isinf(to_float(to_bf16(std::numeric_limits<float>::infinity()))));
  EXPECT_TRUE(std::isinf(to_float(to_bf16(std::numeric_limits<float>::max()))));
}

TEST(F16, WidensEveryKindOfNumber) {
  EXPECT_EQ(to_float(F16{0x3c00}), 1.0F);
  EXPECT_EQ(to_float(F16{0xc000}), -2.0F);
  EXPECT_EQ(to_float(F16{0x7bff}), 65504.0F);
  EXPECT_EQ(to_float(F16{0x0001}), 0x1p-24F);
  EXPECT_TRUE(std::isinf(to_float(F16{0x7c00})));
  EXPECT_TRUE(std::isnan(to_float(F16{0x7e00})));
}

}  // namespace
}  // namespace vl2
