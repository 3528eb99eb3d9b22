// SPDX-License-Identifier: MIT
#include "engine/content_hash.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

Image plain(int width, int height, std::uint8_t value) {
  const auto bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  return {width, height, std::vector<std::uint8_t>(bytes, value)};
}

TEST(ContentHash, TilesOfOneViewAreHashedByTheirOwnPixels) {
  PreparedImage picture;
  picture.grid = {2, 1};
  picture.global_view = plain(4, 4, 7);
  picture.local_view = plain(8, 4, 7);
  EXPECT_EQ(hash_tile(picture, 0, 4), hash_tile(picture, 1, 4));
  EXPECT_EQ(hash_tile(picture, 1, 4), hash_tile(picture, 2, 4));
  picture.local_view.rgb.back() = 8;  // in the right tile
  EXPECT_EQ(hash_tile(picture, 0, 4), hash_tile(picture, 1, 4));
  EXPECT_NE(hash_tile(picture, 1, 4), hash_tile(picture, 2, 4));
}

TEST(ContentHash, APictureIsItsTilesAndTheirGrid) {
  const std::array<ContentHash, 3> tiles = {ContentHash{1, 2}, ContentHash{3, 4},
                                            ContentHash{5, 6}};
  const std::array<ContentHash, 3> swapped = {tiles[0], tiles[2], tiles[1]};
  EXPECT_NE(hash_picture({2, 1}, tiles), hash_picture({1, 2}, tiles));
  EXPECT_NE(hash_picture({2, 1}, tiles), hash_picture({2, 1}, swapped));
  EXPECT_EQ(hash_picture({2, 1}, tiles), hash_picture({2, 1}, tiles));
}

TEST(ContentHash, APageIsEverythingUpToItsEnd) {
  const TokenContent a{1, false, {}, 0};
  const TokenContent b{2, false, {}, 0};
  const std::array<TokenContent, 2> ab = {a, b};
  const std::array<TokenContent, 2> ba = {b, a};
  const ContentHash first = hash_page({}, ab);
  EXPECT_NE(first, hash_page({}, ba));
  EXPECT_NE(first, hash_page(first, ab));
  EXPECT_EQ(first, hash_page({}, ab));
}

TEST(ContentHash, PictureTokensAreThePictureAndThePlaceInIt) {
  const TokenContent text{5, false, {}, 0};
  const TokenContent zero{5, true, {}, 5};
  const TokenContent other_place{5, true, {}, 6};
  const TokenContent other_picture{5, true, {1, 0}, 5};
  EXPECT_NE(hash_page({}, {&text, 1}), hash_page({}, {&zero, 1}));
  EXPECT_NE(hash_page({}, {&zero, 1}), hash_page({}, {&other_place, 1}));
  EXPECT_NE(hash_page({}, {&zero, 1}), hash_page({}, {&other_picture, 1}));
}

}  // namespace
}  // namespace vl2
