// SPDX-License-Identifier: MIT
#include "tensor/rows.h"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

class RowsTest : public testing::Test {
 protected:
  RowsTest() : numbers_(4 * 10) {
    std::iota(numbers_.begin(), numbers_.end(), 0.0F);
    rows_ = {numbers_.data(), 4, 8, 10};
  }
  std::vector<float> numbers_;
  Rows rows_;
};

TEST_F(RowsTest, RowsLieAStrideApart) {
  EXPECT_EQ(rows_.row(2)[3], 23.0F);
  EXPECT_EQ(rows_[1].size(), 8U);
  EXPECT_EQ(rows_[1].front(), 10.0F);
}

TEST_F(RowsTest, SlicesSeeTheSameMemory) {
  const Rows slice = rows_.slice(1, 2);
  EXPECT_EQ(slice.count, 2U);
  slice.row(1)[0] = -1.0F;
  EXPECT_EQ(numbers_[20], -1.0F);
  EXPECT_EQ(rows_.slice(4, 0).count, 0U);
}

TEST_F(RowsTest, ColumnsKeepTheStride) {
  EXPECT_EQ(rows_.columns(2, 3).row(3)[0], 32.0F);
  EXPECT_EQ(rows_.first(3).width, 3U);
  EXPECT_EQ(rows_.last(3).row(1)[0], 15.0F);
  EXPECT_EQ(rows_.last(3).columns(1, 2).row(0)[1], 7.0F);
}

TEST_F(RowsTest, HeadsCutARow) {
  const Heads heads = rows_.heads(4);
  EXPECT_EQ(heads.width, 2U);
  EXPECT_EQ(heads.at(1, 3)[1], 17.0F);
  EXPECT_EQ(heads.head(2).row(3)[0], 34.0F);
  EXPECT_EQ(heads.last(1).at(0, 1)[0], 3.0F);
  EXPECT_EQ(heads.first(1).at(2, 1)[0], 22.0F);
  EXPECT_EQ(heads.first(1).width, 1U);
}

TEST_F(RowsTest, FlatIsTheReverseOfHeads) {
  const Rows flat = rows_.heads(2).flat();
  EXPECT_EQ(flat.data, rows_.data);
  EXPECT_EQ(flat.count, rows_.count);
  EXPECT_EQ(flat.width, rows_.width);
  EXPECT_EQ(flat.stride, rows_.stride);
}

}  // namespace
}  // namespace vl2
