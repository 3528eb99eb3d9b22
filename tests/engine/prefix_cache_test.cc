// SPDX-License-Identifier: MIT
#include "engine/prefix_cache.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace vl2 {
namespace {

const std::vector<std::size_t> kLayers = {64};

// The names of a sequence of pages, each a number.
std::vector<ContentHash> chain_of(const std::vector<std::int32_t>& pages) {
  std::vector<ContentHash> chain;
  for (const std::int32_t page : pages) {
    const TokenContent token{page, false, {}, 0};
    chain.push_back(hash_page(chain.empty() ? ContentHash{} : chain.back(), {&token, 1}));
  }
  return chain;
}

// As a sequence does: takes what is there, fills the rest, gives everything a name.
std::vector<PageId> fill(PrefixCache& cache, const std::vector<ContentHash>& chain) {
  std::vector<PageId> pages = cache.acquire(chain);
  for (std::size_t i = pages.size(); i < chain.size(); ++i) {
    pages.push_back(cache.allocate().value());
    cache.name(pages.back(), chain[i]);
  }
  return pages;
}

TEST(PrefixCache, FindsTheLongestBeginning) {
  KvPool pool(kLayers, 8);
  PrefixCache cache(pool);
  const auto first = fill(cache, chain_of({1, 2, 3}));
  const auto second = cache.acquire(chain_of({1, 2, 4}));
  EXPECT_EQ(second, std::vector<PageId>(first.begin(), first.begin() + 2));
  EXPECT_TRUE(cache.acquire(chain_of({2, 3})).empty());  // the same pages, after something else
  EXPECT_EQ(cache.available(), 5U);
}

TEST(PrefixCache, PagesOutliveTheirUsersUntilTheirRoomIsNeeded) {
  KvPool pool(kLayers, 3);
  PrefixCache cache(pool);
  const auto chain = chain_of({1, 2, 3});
  cache.release(fill(cache, chain));
  EXPECT_EQ(cache.available(), 3U);
  EXPECT_EQ(cache.match(chain).pages, 3U);
  EXPECT_EQ(cache.match(chain).idle, 3U);

  const PageId page = cache.allocate().value();  // the end of the chain goes first
  EXPECT_EQ(cache.match(chain).pages, 2U);
  cache.release({&page, 1});
  EXPECT_EQ(cache.available(), 3U);
}

TEST(PrefixCache, WhatWasUsedLongestAgoGoesFirst) {
  KvPool pool(kLayers, 3);
  PrefixCache cache(pool);
  for (const std::int32_t content : {1, 2, 3}) cache.release(fill(cache, chain_of({content})));
  cache.release(cache.acquire(chain_of({1})));
  (void)cache.allocate();
  EXPECT_EQ(cache.match(chain_of({2})).pages, 0U);
  EXPECT_EQ(cache.match(chain_of({1})).pages, 1U);
  EXPECT_EQ(cache.match(chain_of({3})).pages, 1U);
}

TEST(PrefixCache, PagesInUseAreNeverGivenAway) {
  KvPool pool(kLayers, 2);
  PrefixCache cache(pool);
  const auto pages = fill(cache, chain_of({1, 2}));
  EXPECT_FALSE(cache.allocate().has_value());
  EXPECT_EQ(cache.match(chain_of({1, 2})).idle, 0U);
  cache.release(pages);
  EXPECT_TRUE(cache.allocate().has_value());
}

TEST(PrefixCache, TheSecondPageOfANameStaysItsOwners) {
  KvPool pool(kLayers, 4);
  PrefixCache cache(pool);
  const auto chain = chain_of({1});
  const auto first = fill(cache, chain);
  const PageId twin = cache.allocate().value();
  cache.name(twin, chain[0]);
  EXPECT_EQ(cache.named_count(), 1U);
  cache.release({&twin, 1});
  EXPECT_EQ(pool.users(twin), 0U);
  EXPECT_EQ(cache.acquire(chain), first);
}

TEST(PrefixCache, DiscardedPagesAreNotFoundAgain) {
  KvPool pool(kLayers, 4);
  PrefixCache cache(pool);
  const auto chain = chain_of({1, 2});
  const auto pages = fill(cache, chain);
  const auto shared = cache.acquire(chain);
  cache.discard(pages);
  EXPECT_EQ(cache.match(chain).pages, 0U);
  EXPECT_EQ(cache.available(), 2U);  // the other user still has them
  cache.release(shared);
  EXPECT_EQ(pool.free_count(), 4U);
}

// Random sequences come and go; what the pool and the cache say must agree at every moment.
TEST(PrefixCache, NothingIsLostOrSharedByMistake) {
  constexpr std::size_t kPages = 24;
  KvPool pool(kLayers, kPages);
  PrefixCache cache(pool);
  std::vector<std::vector<PageId>> alive;
  std::map<PageId, ContentHash> content;  // what was last written to a page
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const std::uint64_t bits = random_bits(5, i);
    if (alive.size() > 3 || (bits % 3 == 0 && !alive.empty())) {
      const std::size_t at = bits / 3 % alive.size();
      bits % 7 == 0 ? cache.discard(alive[at]) : cache.release(alive[at]);
      alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      std::vector<std::int32_t> numbers;
      for (std::size_t j = 0; j < 1 + bits % 5; ++j)
        numbers.push_back(static_cast<std::int32_t>(bits >> (8 + 2 * j) & 3));
      const auto chain = chain_of(numbers);
      std::vector<PageId> pages = cache.acquire(chain);
      for (std::size_t j = 0; j < pages.size(); ++j) ASSERT_EQ(content[pages[j]], chain[j]);
      while (pages.size() < chain.size()) {
        const auto page = cache.allocate();
        ASSERT_TRUE(page.has_value());
        content[*page] = chain[pages.size()];
        cache.name(*page, chain[pages.size()]);
        pages.push_back(*page);
      }
      alive.push_back(std::move(pages));
    }
    std::set<PageId> in_use;
    for (const auto& pages : alive) in_use.insert(pages.begin(), pages.end());
    ASSERT_EQ(cache.available(), kPages - in_use.size());
  }
}

}  // namespace
}  // namespace vl2
