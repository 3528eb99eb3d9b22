// SPDX-License-Identifier: MIT
#include "engine/picture_cache.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TileRows rows_of(float value, std::size_t count = 10) {
  return std::make_shared<const std::vector<float>>(count, value);
}

TEST(PictureCache, FindsTilesByTheirHash) {
  PictureCache cache(1000);
  cache.insert({1, 1}, rows_of(1.0F));
  ASSERT_NE(cache.find({1, 1}), nullptr);
  EXPECT_EQ(cache.find({1, 1})->front(), 1.0F);
  EXPECT_EQ(cache.find({1, 2}), nullptr);
  EXPECT_EQ(cache.find({2, 1}), nullptr);
}

TEST(PictureCache, StaysWithinItsBytesAndDropsWhatWasUsedLongestAgo) {
  PictureCache cache(80);  // two tiles
  cache.insert({0, 1}, rows_of(1.0F));
  cache.insert({0, 2}, rows_of(2.0F));
  EXPECT_NE(cache.find({0, 1}), nullptr);
  cache.insert({0, 3}, rows_of(3.0F));
  EXPECT_EQ(cache.find({0, 2}), nullptr);
  EXPECT_NE(cache.find({0, 1}), nullptr);
  EXPECT_EQ(cache.bytes(), 80U);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(PictureCache, ATileInUseOutlivesItsEntry) {
  PictureCache cache(40);
  cache.insert({0, 1}, rows_of(1.0F));
  const TileRows mine = cache.find({0, 1});
  cache.insert({0, 2}, rows_of(2.0F));
  EXPECT_EQ(cache.find({0, 1}), nullptr);
  EXPECT_EQ(mine->front(), 1.0F);
}

TEST(PictureCache, DoesNotKeepWhatIsLargerThanItself) {
  PictureCache cache(40);
  cache.insert({0, 1}, rows_of(1.0F));
  cache.insert({0, 2}, rows_of(2.0F, 11));
  EXPECT_EQ(cache.find({0, 2}), nullptr);
  EXPECT_NE(cache.find({0, 1}), nullptr);
}

TEST(PictureCache, TheFirstOfTwoEqualTilesStays) {
  PictureCache cache(1000);
  cache.insert({0, 1}, rows_of(1.0F));
  cache.insert({0, 1}, rows_of(2.0F));
  EXPECT_EQ(cache.find({0, 1})->front(), 1.0F);
  EXPECT_EQ(cache.bytes(), 40U);
}

}  // namespace
}  // namespace vl2
