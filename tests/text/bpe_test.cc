// SPDX-License-Identifier: MIT
#include "text/bpe.h"

#include <cstddef>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vl2 {
namespace {

using ::testing::ElementsAre;

std::array<std::int32_t, 256> identity() {
  std::array<std::int32_t, 256> ids{};
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

std::vector<std::int32_t> encode(const std::vector<Merge>& merges, const std::string& piece) {
  Bpe::Scratch scratch;
  std::vector<std::int32_t> ids;
  Bpe(identity(), merges).encode(piece, scratch, ids);
  return ids;
}

// The definition: look for the best pair, join it, again.
std::vector<std::int32_t> encode_by_definition(const std::vector<Merge>& merges,
                                               const std::string& piece) {
  std::vector<std::int32_t> ids;
  for (const char c : piece) ids.push_back(static_cast<unsigned char>(c));
  while (true) {
    std::size_t best_rank = merges.size();
    std::size_t best_at = 0;
    for (std::size_t at = 0; at + 1 < ids.size(); ++at) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left != ids[at] || merges[rank].right != ids[at + 1]) continue;
        best_rank = rank;
        best_at = at;
      }
    }
    if (best_rank == merges.size()) return ids;
    ids[best_at] = merges[best_rank].result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

TEST(Bpe, LowestRankGoesFirst) {
  const std::vector<Merge> merges = {{'b', 'c', 256}, {'a', 'b', 257}, {257, 'c', 258}};
  EXPECT_THAT(encode(merges, "abc"), ElementsAre('a', 256));
  EXPECT_THAT(encode(merges, "ab"), ElementsAre(257));
  EXPECT_THAT(encode(merges, "x"), ElementsAre('x'));
  EXPECT_THAT(encode(merges, ""), ElementsAre());
}

TEST(Bpe, LeftmostGoesFirstAmongEquals) {
  const std::vector<Merge> merges = {{'a', 'a', 256}};
  EXPECT_THAT(encode(merges, "aaaaa"), ElementsAre(256, 256, 'a'));
}

TEST(Bpe, AgreesWithTheDefinition) {
  std::mt19937 random(1);
  std::vector<Merge> merges;
  for (std::int32_t id = 256; id < 300; ++id) {
    const auto token = [&] {
      const auto pick = static_cast<std::int32_t>(random() % static_cast<unsigned>(id - 252));
      return pick < 4 ? 'a' + pick : 252 + pick;
    };
    const Merge merge{token(), token(), id};
    const auto same = [&](const Merge& m) {
      return m.left == merge.left && m.right == merge.right;
    };
    if (std::none_of(merges.begin(), merges.end(), same)) merges.push_back(merge);
  }
  for (int round = 0; round < 200; ++round) {
    std::string piece(random() % 60, 'a');
    for (char& c : piece) c = static_cast<char>('a' + random() % 4);
    EXPECT_EQ(encode(merges, piece), encode_by_definition(merges, piece)) << piece;
  }
}

TEST(Bpe, OneLongWordIsNoProblem) {
  // A merge tree of depth 20 over a million bytes; quadratic work would take hours.
  std::vector<Merge> merges;
  std::int32_t last = 'a';
  for (std::int32_t id = 256; id < 276; ++id) {
    merges.push_back({last, last, id});
    last = id;
  }
  EXPECT_THAT(encode(merges, std::string(1 << 20, 'a')), ElementsAre(275));
}

}  // namespace
}  // namespace vl2
