// SPDX-License-Identifier: MIT
// Attention over the cache: right within bounds that follow from the number formats, and the same
// to the last bit whatever else is computed along with a token.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "base/random.h"
#include "kernels/attention/cached_attention.h"
#include "kernels/attention/kernel_sets.h"

namespace vl2 {
namespace {

using Part = CachedSequences::Part;

class CachedAttentionTest : public testing::TestWithParam<KernelSet> {
 protected:
  const KernelSet& kernels() const { return GetParam(); }

  void expect_close(const CachedAttention& attention, std::span<const std::size_t> lengths) {
    SCOPED_TRACE(attention.name());
    CachedSequences sequences(attention, kernels(), {lengths.back()}, 1);
    sequences.append_all();
    std::vector<Part> parts;
    for (const std::size_t length : lengths) parts.push_back({0, length - 1, 1});
    const auto rows = sequences.attend(ThreadTeam(2), parts);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const Expected expected = attention.expected(kernels().operand, {0, lengths[i] - 1});
      ASSERT_EQ(rows[i].size(), expected.out.size());
      for (std::size_t c = 0; c < rows[i].size(); ++c)
        ASSERT_NEAR(static_cast<double>(rows[i][c]), expected.out[c], expected.tolerance[c])
            << "length " << lengths[i] << " column " << c;
    }
  }

  // Tokens around every border of tiles, pages, blocks and segments, and some others.
  static std::vector<std::size_t> watched_positions(std::size_t length) {
    std::vector<std::size_t> positions;
    for (std::size_t border : {std::size_t{0}, std::size_t{16}, std::size_t{32}, std::size_t{128},
                               std::size_t{1024}, std::size_t{2048}, length - 1})
      for (std::size_t position = border < 1 ? 0 : border - 1; position <= border + 1; ++position)
        if (position < length) positions.push_back(position);
    for (std::size_t i = 0; i < 6; ++i) positions.push_back(random_bits(3, i) % length);
    return positions;
  }

  // Reads the sequences in a random order of random chunks, several in a batch, and compares the
  // watched tokens with what each gives alone.
  void expect_independent(const CachedAttention& attention, std::vector<std::size_t> lengths) {
    SCOPED_TRACE(attention.name());
    CachedSequences whole(attention, kernels(), lengths, 2);
    whole.append_all();
    std::vector<std::vector<std::vector<float>>> alone(lengths.size());
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      alone[s].resize(lengths[s]);
      for (const std::size_t position : watched_positions(lengths[s]))
        alone[s][position] = whole.attend_alone({s, position});
    }
    for (int threads = 1; threads <= 5; ++threads) {
      CachedSequences sequences(attention, kernels(), lengths,
                                static_cast<std::uint64_t>(threads) + 10);
      std::vector<std::size_t> done(lengths.size(), 0);
      for (std::uint64_t step = 0; done != lengths; ++step) {
        const std::vector<Part> parts =
            next_batch(lengths, done, static_cast<std::uint64_t>(threads) * 1000 + step);
        sequences.append(ThreadTeam(threads), parts);
        compare(sequences.attend(ThreadTeam(threads), parts), parts, alone);
      }
    }
  }

 private:
  static std::vector<Part> next_batch(const std::vector<std::size_t>& lengths,
                                      std::vector<std::size_t>& done, std::uint64_t seed) {
    std::vector<Part> parts;
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      const std::uint64_t bits = random_bits(seed, s);
      // A token, a few, a page, or all that is left.
      const std::size_t sizes[] = {
          1, 1 + bits / 8 % 7, 1 + bits / 8 % 40, 1 + bits / 8 % 300, 32, 128, lengths[s], 700};
      const std::size_t count = std::min(sizes[bits % 8], lengths[s] - done[s]);
      if (count == 0) continue;
      parts.push_back({s, done[s], count});
      done[s] += count;
    }
    return parts;
  }

  static void compare(const std::vector<std::vector<float>>& rows, const std::vector<Part>& parts,
                      const std::vector<std::vector<std::vector<float>>>& alone) {
    std::size_t row = 0;
    for (const Part& part : parts)
      for (std::size_t i = 0; i < part.count; ++i, ++row) {
        const std::vector<float>& expected = alone[part.sequence][part.first + i];
        if (expected.empty()) continue;  // not a watched position
        ASSERT_TRUE(same_bits(rows[row], expected))
            << "sequence " << part.sequence << " position " << part.first + i << " in a part of "
            << part.count << " tokens";
      }
  }
};

TEST_P(CachedAttentionTest, LatentIsWithinBounds) {
  const std::size_t lengths[] = {1, 2, 15, 16, 17, 31, 32, 33, 127, 128, 129, 200};
  expect_close(*latent_attention({1, 32, 16}), lengths);
  expect_close(*latent_attention({4, 48, 16}), lengths);
  expect_close(*latent_attention({6, 64, 64}), lengths);
  if (is_slow(kernels())) return;
  expect_close(*latent_attention({20, 48, 64}), lengths);
  expect_close(*latent_attention({32, 64, 16}), lengths);
  expect_close(*latent_attention({16, 512, 64}), lengths);
}

TEST_P(CachedAttentionTest, LatentOverSegmentsIsWithinBounds) {
  const std::size_t lengths[] = {1000, 1023, 1024, 1025, 2500, 5000};
  expect_close(*latent_attention({2, 32, 16}), lengths);
  if (is_slow(kernels())) return;
  expect_close(*latent_attention({16, 64, 64}), lengths);
}

TEST_P(CachedAttentionTest, PlainIsWithinBounds) {
  const std::size_t lengths[] = {1, 2, 15, 16, 17, 31, 32, 33, 127, 128, 129, 200};
  expect_close(*plain_attention({1, 1, 16}), lengths);
  expect_close(*plain_attention({4, 2, 18}), lengths);
  expect_close(*plain_attention({3, 1, 40}), lengths);
  expect_close(*plain_attention({2, 2, 72}), lengths);
  if (is_slow(kernels())) return;
  expect_close(*plain_attention({10, 10, 128}), lengths);
  expect_close(*plain_attention({36, 1, 64}), lengths);
}

TEST_P(CachedAttentionTest, PlainOverSegmentsIsWithinBounds) {
  const std::size_t lengths[] = {1000, 1023, 1024, 1025, 2500, 5000};
  expect_close(*plain_attention({2, 1, 18}), lengths);
  if (is_slow(kernels())) return;
  expect_close(*plain_attention({4, 2, 128}), lengths);
}

TEST_P(CachedAttentionTest, LatentTokenDoesNotDependOnItsBatch) {
  expect_independent(*latent_attention({3, 32, 16}), {70, 150});
  if (is_slow(kernels())) return;
  expect_independent(*latent_attention({16, 48, 16}), {300, 40, 1100});
  expect_independent(*latent_attention({2, 32, 16}), {2500, 1300, 3});
  expect_independent(*latent_attention({20, 96, 64}), {257});
}

TEST_P(CachedAttentionTest, PlainTokenDoesNotDependOnItsBatch) {
  expect_independent(*plain_attention({2, 1, 18}), {70, 150});
  if (is_slow(kernels())) return;
  expect_independent(*plain_attention({4, 2, 72}), {300, 40, 1100});
  expect_independent(*plain_attention({2, 2, 32}), {2500, 1300, 3});
  expect_independent(*plain_attention({40, 1, 16}), {257});
}

// One token alone over many segments is cut among the threads, a whole prompt is not.
TEST_P(CachedAttentionTest, LongContextDoesNotDependOnThreads) {
  const std::size_t length = is_slow(kernels()) ? 2100 : 5000;
  const auto latent = latent_attention({2, 32, 16});
  const auto plain = plain_attention({3, 3, 16});
  for (const CachedAttention* attention : {latent.get(), plain.get()}) {
    SCOPED_TRACE(attention->name());
    CachedSequences sequences(*attention, kernels(), {length}, 4);
    sequences.append_all();
    const Part part{0, length - 3, 3};
    const auto alone = sequences.attend(ThreadTeam(1), {&part, 1});
    for (int threads = 2; threads <= 5; ++threads) {
      const auto together = sequences.attend(ThreadTeam(threads), {&part, 1});
      for (std::size_t i = 0; i < alone.size(); ++i)
        EXPECT_TRUE(same_bits(alone[i], together[i])) << threads << " threads, row " << i;
    }
  }
}

TEST_P(CachedAttentionTest, BadQueriesStayAmongThemselves) {
  const auto latent = latent_attention({5, 32, 16});
  const auto plain = plain_attention({4, 2, 18});
  for (const CachedAttention* attention : {latent.get(), plain.get()}) {
    SCOPED_TRACE(attention->name());
    CachedSequences sequences(*attention, kernels(), {150}, 5);
    sequences.append_all();
    const Part part{0, 100, 40};
    const std::vector<std::size_t> bad{0, 3, 4, 17, 39};
    const auto clean = sequences.attend(ThreadTeam(2), {&part, 1});
    const auto mixed = sequences.attend(ThreadTeam(2), {&part, 1}, bad);
    for (std::size_t i = 0; i < part.count; ++i)
      if (std::find(bad.begin(), bad.end(), i) == bad.end())
        EXPECT_TRUE(same_bits(clean[i], mixed[i])) << "row " << i;
      else
        EXPECT_TRUE(std::isnan(mixed[i].front())) << "row " << i;
  }
}

TEST_P(CachedAttentionTest, PagesStayZeroBeyondTheSequence) {
  const auto latent = latent_attention({2, 48, 16});
  const auto plain = plain_attention({2, 2, 18});
  for (const CachedAttention* attention : {latent.get(), plain.get()}) {
    SCOPED_TRACE(attention->name());
    // Token by token and at once must leave the same bytes, also next to pages that are full.
    CachedSequences at_once(*attention, kernels(), {75}, 6);
    CachedSequences by_token(*attention, kernels(), {75}, 6);
    at_once.append_all();
    for (std::size_t i = 0; i < 75; ++i) {
      const Part part{0, i, 1};
      by_token.append(ThreadTeam(1), {&part, 1});
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const auto a = at_once.page(0, i);
      const auto b = by_token.page(0, i);
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin())) << "page " << i;
    }
    // 11 of the last page's 32 tokens exist; the second tile of its keys is empty.
    CachedSequences full(*attention, kernels(), {96}, 6);
    full.append_all();
    const auto count_zeros = [](std::span<const std::byte> page) {
      return std::count(page.begin(), page.end(), std::byte{0});
    };
    EXPECT_GT(count_zeros(at_once.page(0, 2)),
              static_cast<std::ptrdiff_t>(at_once.page(0, 2).size() * 21 / 32));
    EXPECT_LT(count_zeros(full.page(0, 2)), count_zeros(at_once.page(0, 2)));
  }
}

// Kernels whose products come in the portable order give the portable bits.
TEST_P(CachedAttentionTest, ExactKernelsEqualThePortableOnes) {
  if (!kernels().matmul->exact_order) GTEST_SKIP() << "products in an order of its own";
  const KernelSet portable = KernelSet::of(Isa::portable, kernels().operand);
  const auto latent = latent_attention({5, 48, 16});
  const auto plain = plain_attention({4, 2, 18});
  for (const CachedAttention* attention : {latent.get(), plain.get()}) {
    SCOPED_TRACE(attention->name());
    CachedSequences ours(*attention, kernels(), {1100}, 7);
    CachedSequences theirs(*attention, portable, {1100}, 7);
    ours.append_all();
    theirs.append_all();
    const Part parts[] = {{0, 0, 20}, {0, 120, 10}, {0, 1090, 10}};
    const auto a = ours.attend(ThreadTeam(2), parts);
    const auto b = theirs.attend(ThreadTeam(2), parts);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(same_bits(a[i], b[i])) << "row " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(KernelSets, CachedAttentionTest, testing::ValuesIn(runnable_kernel_sets()),
                         kernel_set_name);

TEST(PackedOutput, IsZeroBeyondItsRowsAndColumns) {
  const KernelSet kernels = KernelSet::of(cpu_isas().back(), Operand::bf16);
  const HeadShape shape{2, 2, 18, 1.0F};
  AlignedBuffer pool(plain_page_bytes(shape, Operand::bf16));
  const LayerPages pages{pool.data(), pool.size()};
  std::vector<float> numbers(3 * 36, 1.0F);
  const Heads rows = Rows{numbers.data(), 3, 36, 36}.heads(2);
  const std::uint32_t table[] = {0};
  const AttentionSpan span{0, 3, 0, table};
  append_keys_values(kernels, ThreadTeam(1), shape, rows, rows, {pages, {&span, 1}});
  Arena arena;
  {
    const ScratchScope dirty(arena);
    std::byte* used = arena.allocate(1 << 16);
    std::memset(used, 0xff, 1 << 16);
  }
  const Packed out = attend_plain(kernels, ThreadTeam(1), arena, shape, rows, {pages, {&span, 1}});
  const auto* values = reinterpret_cast<const Bf16*>(out.tiles);
  for (std::size_t row = 0; row < 16; ++row)
    for (std::size_t k = 0; k < 64; ++k)
      EXPECT_EQ(to_float(values[left_index(row, k, 2)]), row < 3 && k < 36 ? 1.0F : 0.0F)
          << row << ", " << k;
}

}  // namespace
}  // namespace vl2
