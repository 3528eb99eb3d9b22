// SPDX-License-Identifier: MIT
#include "tensor/packed.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(Tiles, LeftIndexFillsTilesOfSixteenRowsByThirtyTwo) {
  EXPECT_EQ(left_index(0, 0, 3), 0U);
  EXPECT_EQ(left_index(0, 31, 3), 31U);
  EXPECT_EQ(left_index(1, 0, 3), 32U);
  EXPECT_EQ(left_index(0, 32, 3), 512U);
  EXPECT_EQ(left_index(16, 0, 3), 3U * 512);
  std::set<std::size_t> places;
  for (std::size_t m = 0; m < 32; ++m)
    for (std::size_t k = 0; k < 96; ++k) places.insert(left_index(m, k, 3));
  EXPECT_EQ(places.size(), 32U * 96);
  EXPECT_EQ(*places.rbegin(), 32U * 96 - 1);
}

TEST(Tiles, RightIndexAlternatesThePanelsOfAPair) {
  EXPECT_EQ(right_index(Operand::bf16, 0, 1, 2), 1U);
  EXPECT_EQ(right_index(Operand::bf16, 1, 0, 2), 2U);
  EXPECT_EQ(right_index(Operand::bf16, 0, 2, 2), 32U);
  EXPECT_EQ(right_index(Operand::bf16, 16, 0, 2), 512U);
  EXPECT_EQ(right_index(Operand::bf16, 0, 32, 2), 1024U);
  EXPECT_EQ(right_index(Operand::bf16, 32, 0, 2), 2048U);
  EXPECT_EQ(right_index(Operand::f32, 0, 1, 2), 16U);
  EXPECT_EQ(right_index(Operand::f32, 1, 0, 2), 1U);
}

TEST(Tiles, RightIndexUsesEveryPlaceOnce) {
  for (const Operand operand : {Operand::f32, Operand::bf16}) {
    std::set<std::size_t> places;
    for (std::size_t n = 0; n < 64; ++n)
      for (std::size_t k = 0; k < 64; ++k) places.insert(right_index(operand, n, k, 2));
    EXPECT_EQ(places.size(), 64U * 64);
    EXPECT_EQ(*places.rbegin(), 64U * 64 - 1);
  }
}

TEST(Packed, SizesArePaddedToWholeTiles) {
  const Packed packed{nullptr, Operand::bf16, 17, 33, 3};
  EXPECT_EQ(packed.row_tiles(), 2U);
  EXPECT_EQ(packed.depth_tiles(), 2U);
  EXPECT_EQ(packed.tile_bytes(), 1024U);
  EXPECT_EQ(packed.matrix_bytes(), 4096U);
  EXPECT_EQ(packed.total_bytes(), 3U * 4096);
  const Packed wide{nullptr, Operand::f32, 1, 32, 1};
  EXPECT_EQ(wide.total_bytes(), 2048U);
  const Packed empty{nullptr, Operand::f32, 0, 32, 1};
  EXPECT_EQ(empty.total_bytes(), 0U);
}

TEST(Packed, LinesAreFoundInEveryMatrix) {
  std::vector<std::byte> storage(2 * 6 * 1024);
  std::byte* memory = storage.data();
  const Packed packed{memory, Operand::bf16, 20, 70, 2};
  EXPECT_EQ(packed.line(0, 0, 0) - memory, 0);
  EXPECT_EQ(packed.line(0, 1, 0) - memory, 64);
  EXPECT_EQ(packed.line(0, 0, 32) - memory, 1024);
  EXPECT_EQ(packed.line(0, 16, 64) - memory, 3 * 1024 + 2 * 1024);
  EXPECT_EQ(packed.line(1, 0, 0) - memory, 6 * 1024);
  EXPECT_EQ(packed.matrix(1).line(0, 5, 32), packed.line(1, 5, 32));
  EXPECT_EQ(packed.matrix(1).stack, 1U);
}

}  // namespace
}  // namespace vl2
