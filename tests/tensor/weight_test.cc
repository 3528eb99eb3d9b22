// SPDX-License-Identifier: MIT
#include "tensor/weight.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

TEST(WeightFormat, NamesGoBothWays) {
  for (const WeightFormat format : {WeightFormat::f32, WeightFormat::bf16})
    EXPECT_EQ(weight_format_from(to_string(format)), format);
}

TEST(WeightFormat, AnUnknownNameListsTheKnownOnes) {
  try {
    weight_format_from("int3");
    FAIL() << "int3 was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    const std::string message = error.what();
    EXPECT_NE(message.find("int3"), std::string::npos) << message;
    EXPECT_NE(message.find("bf16"), std::string::npos) << message;
  }
}

TEST(WeightFormat, F32MeetsF32Activations) {
  EXPECT_EQ(operand_of(WeightFormat::f32), Operand::f32);
  EXPECT_EQ(operand_of(WeightFormat::bf16), Operand::bf16);
}

TEST(Weight, HasNoMemoryUntilItIsMade) {
  EXPECT_TRUE(Weight().empty());
  EXPECT_FALSE(Weight(WeightFormat::bf16, 1, 1).empty());
}

TEST(Weight, IsPaddedToPairsOfPanels) {
  const Weight weight(WeightFormat::bf16, 33, 65, 2);
  EXPECT_EQ(weight.pairs(), 2U);
  EXPECT_EQ(weight.depth_tiles(), 3U);
  EXPECT_EQ(weight.pair_bytes(), 3U * 2 * 1024);
  EXPECT_EQ(weight.total_bytes(), 2U * 2 * weight.pair_bytes());
  EXPECT_EQ(weight.pair(1, 1) - weight.pair(0, 0),
            static_cast<std::ptrdiff_t>(3 * weight.pair_bytes()));
  EXPECT_EQ(Weight(WeightFormat::f32, 33, 65, 2).total_bytes(), 2 * weight.total_bytes());
}

TEST(Weight, BeginsAsZerosWithRoomToReadAhead) {
  const Weight weight(WeightFormat::bf16, 32, 32);
  const std::byte* begin = weight.pair(0, 0);
  const std::byte* end = begin + weight.total_bytes() + kWeightPadding;
  EXPECT_TRUE(std::all_of(begin, end, [](std::byte b) { return b == std::byte{0}; }));
}

TEST(Weight, CopiesShareMemory) {
  Weight weight(WeightFormat::bf16, 32, 32);
  std::memset(weight.mutable_pair(0, 0), 1, 8);
  const Weight copy = weight;
  EXPECT_EQ(copy.pair(0, 0), weight.pair(0, 0));
  weight = Weight();
  EXPECT_EQ(copy.pair(0, 0)[7], std::byte{1});
}

TEST(Weight, SaysWhenThereIsNoMemory) {
  try {
    Weight(WeightFormat::f32, std::size_t{1} << 31, std::size_t{1} << 26);
    FAIL() << "an exabyte was handed out";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
  }
}

}  // namespace
}  // namespace vl2
