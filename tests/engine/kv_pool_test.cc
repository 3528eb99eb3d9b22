// SPDX-License-Identifier: MIT
#include "engine/kv_pool.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

const std::vector<std::size_t> kLayers = {256, 512};

std::span<std::byte> part(const KvPool& pool, std::size_t layer, PageId page) {
  const LayerPages pages = pool.layers()[layer];
  return {pages.data + page * pages.page_bytes, pages.page_bytes};
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

TEST(KvPool, HasAPartOfEveryPageInEveryLayer) {
  const KvPool pool(kLayers, 10);
  ASSERT_EQ(pool.layers().size(), 2U);
  EXPECT_EQ(pool.layers()[1].page_bytes, 512U);
  EXPECT_EQ(pool.total_bytes(), 7680U);
  for (PageId page = 0; page < 10; ++page) EXPECT_TRUE(is_zero(part(pool, 1, page)));
}

TEST(KvPool, GivesEveryPageOnce) {
  KvPool pool(kLayers, 5);
  std::set<PageId> given;
  while (const auto page = pool.allocate()) given.insert(*page);
  EXPECT_EQ(given.size(), 5U);
  EXPECT_EQ(*given.rbegin(), 4U);
  EXPECT_EQ(pool.free_count(), 0U);
  pool.remove_user(3);
  EXPECT_EQ(pool.allocate(), 3U);
}

TEST(KvPool, APageIsFreeWhenItsLastUserIsGone) {
  KvPool pool(kLayers, 1);
  const PageId page = *pool.allocate();
  pool.add_user(page);
  pool.remove_user(page);
  EXPECT_EQ(pool.free_count(), 0U);
  pool.remove_user(page);
  EXPECT_EQ(pool.free_count(), 1U);
}

TEST(KvPool, ASpoiledPageIsZeroedBeforeItsNextUser) {
  KvPool pool(kLayers, 2);
  const PageId page = *pool.allocate();
  const PageId other = *pool.allocate();
  for (const std::size_t layer : {0U, 1U}) {
    std::ranges::fill(part(pool, layer, page), std::byte{0xff});
    std::ranges::fill(part(pool, layer, other), std::byte{0x7f});
  }
  pool.spoil(page);
  pool.remove_user(page);
  for (const std::size_t layer : {0U, 1U}) {
    EXPECT_TRUE(is_zero(part(pool, layer, page)));
    EXPECT_FALSE(is_zero(part(pool, layer, other)));
  }
}

TEST(KvPool, TooLargeAPoolIsAnErrorWithItsSize) {
  const std::vector<std::size_t> layers = {std::size_t{1} << 40};
  try {
    KvPool pool(layers, 1024);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("32768 tokens takes 1073741824 MiB"));
  }
}

TEST(KvPoolDeathTest, UsersThatDoNotExistAreOurMistake) {
  KvPool pool(kLayers, 1);
  EXPECT_DEATH(pool.remove_user(0), "users");
  EXPECT_DEATH(pool.add_user(0), "users");
}

}  // namespace
}  // namespace vl2
