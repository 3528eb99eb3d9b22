// SPDX-License-Identifier: MIT
#include "tensor/weight.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "vl2/error.h"

#include "base/scalar.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"

namespace vl2 {
namespace {

TEST(WeightFormat, NamesGoBothWays) {
  for (const WeightFormat format : kAllWeightFormats)
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
    for (const WeightFormat format : kAllWeightFormats)
      EXPECT_NE(message.find(to_string(format)), std::string::npos) << message;
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

TEST(Weight, QuantizedPairsEndWithMultipliers) {
  EXPECT_EQ(pair_bytes_of(WeightFormat::int8, 65), 3U * 1024 + 128);
  EXPECT_EQ(pair_bytes_of(WeightFormat::int4, 65), 3U * 576 + 128);
  EXPECT_EQ(multipliers_offset(WeightFormat::int4, 65), 3U * 576);
  Weight weight(WeightFormat::int4, 33, 65, 2);
  EXPECT_EQ(weight.pair_bytes(), 3U * 576 + 128);
  const float two = 2.0F;
  std::memcpy(weight.mutable_pair(1, 1) + 3 * 576 + 31 * sizeof(float), &two, sizeof(two));
  EXPECT_EQ(weight.multipliers(1, 1)[31], 2.0F);
}

TEST(WeightFormat, EveryCodeHasAPlaceOfItsOwn) {
  std::set<std::size_t> bytes;
  std::set<std::pair<std::size_t, unsigned>> nibbles;
  std::set<std::size_t> scales;
  for (std::size_t n = 0; n < kPairColumns; ++n)
    for (std::size_t k = 0; k < kTileDepth; ++k) {
      bytes.insert(int8::byte_of(k, n));
      nibbles.insert({int4::byte_of(k, n), int4::shift_of(k)});
      scales.insert(int4::scale_byte_of(k, n));
    }
  EXPECT_EQ(bytes.size(), int8::kStepBytes);
  EXPECT_EQ(*bytes.rbegin(), int8::kStepBytes - 1);
  EXPECT_EQ(nibbles.size(), 2 * int4::kScalesOffset);
  EXPECT_EQ(nibbles.rbegin()->first, int4::kScalesOffset - 1);
  EXPECT_EQ(scales.size(), int4::kStepBytes - int4::kScalesOffset);
  EXPECT_EQ(*scales.begin(), int4::kScalesOffset);
  EXPECT_EQ(*scales.rbegin(), int4::kStepBytes - 1);
}

TEST(WeightFormat, CodesAreExactBf16Numbers) {
  for (int code = -int8::kLargest; code <= int8::kLargest; ++code) {
    EXPECT_EQ(int8::decode(int8::encode(code)), code);
    EXPECT_EQ(to_float(Bf16{int8::bf16_bits(int8::encode(code))}), static_cast<float>(code));
  }
  for (unsigned scale = 0; scale < 256; ++scale)
    for (std::uint8_t code = 0; code < int4::kLevelCount; ++code) {
      const auto byte = static_cast<std::uint8_t>(scale);
      EXPECT_EQ(to_float(Bf16{int4::bf16_bits(code, byte)}),
                static_cast<float>(int4::kLevels[code]) * int4::scale_of(byte));
    }
  EXPECT_EQ(int4::scale_of(0x00), 0x1p-15F);
  EXPECT_EQ(int4::scale_of(0xff), -1.875F);
  EXPECT_EQ(int4::scale_of(0x74), 0.75F);
}

TEST(Weight, AViewKeepsItsOwnerAndReadsItsBytes) {
  const auto file = std::make_shared<AlignedBuffer>(3 * pair_bytes_of(WeightFormat::int8, 32));
  file->data()[pair_bytes_of(WeightFormat::int8, 32)] = std::byte{7};
  {
    const Weight view(WeightFormat::int8, 40, 32, 1, file, file->data());
    EXPECT_FALSE(view.empty());
    EXPECT_EQ(view.pair(0, 1)[0], std::byte{7});
    EXPECT_EQ(view.total_bytes(), 2 * pair_bytes_of(WeightFormat::int8, 32));
    const Weight copy = view;
    EXPECT_EQ(file.use_count(), 3);
  }
  EXPECT_EQ(file.use_count(), 1);
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
