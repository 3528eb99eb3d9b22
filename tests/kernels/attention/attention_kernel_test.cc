// SPDX-License-Identifier: MIT
// Every kernel of the table: what it promises, and that it equals the portable one bit for bit.
#include "kernels/attention/attention_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/attention/cached_attention.h"
#include "kernels/attention/kernel_sets.h"
#include "kernels/matmul/matmul_kernel.h"

namespace vl2 {
namespace {

class AttentionKernelTest : public testing::TestWithParam<AttentionKernel> {
 protected:
  void SetUp() override {
    if (!can_run(kernel().isa)) GTEST_SKIP() << "this processor lacks " << kernel().name;
  }
  const AttentionKernel& kernel() const { return GetParam(); }
  const AttentionKernel& portable() const {
    return attention_kernel(Isa::portable, kernel().operand);
  }
  std::size_t tile_bytes() const { return kTileNumbers * bytes_of(kernel().operand); }

  FlushDenormals flush_;
};

// A block of scores and what softmax makes of it.
struct Softmax {
  std::size_t keys;
  AlignedBuffer scores;
  AlignedBuffer probabilities;
  alignas(64) float maximum[kLanes];
  alignas(64) float sum[kLanes];
  alignas(64) float factor[kLanes] = {};
  alignas(64) std::int32_t seen[kLanes];

  explicit Softmax(std::size_t count, float size = 20.0F)
      : keys(count),
        scores(count * kLanes * sizeof(float)),
        probabilities(count * kLanes * sizeof(float)) {
    for (std::size_t i = 0; i < keys * kLanes; ++i) score(i) = size * uniform(1, i);
    for (std::size_t i = 0; i < kLanes; ++i) {
      maximum[i] = 25.0F * uniform(2, i);
      sum[i] = 2.0F + uniform(3, i);
      seen[i] = static_cast<std::int32_t>(keys);
    }
  }
  float& score(std::size_t i) { return scores.as<float>()[i]; }
  bool run(const AttentionKernel& kernel, std::size_t groups = 2, bool masked = true) {
    return kernel.softmax({scores.as<float>().data(), keys, groups, masked ? seen : nullptr,
                           probabilities.data(), maximum, sum, factor});
  }
  float probability(Operand operand, std::size_t key, std::size_t lane) {
    const std::size_t i = left_index(lane, key, keys / kTileDepth);
    return operand == Operand::f32 ? probabilities.as<float>()[i]
                                   : to_float(probabilities.as<Bf16>()[i]);
  }
};

void expect_equal(Softmax& a, Softmax& b) {
  const auto equal = [](const float* x, const float* y) {
    return std::memcmp(x, y, kLanes * sizeof(float)) == 0;
  };
  EXPECT_TRUE(equal(a.maximum, b.maximum));
  EXPECT_TRUE(equal(a.sum, b.sum));
  EXPECT_TRUE(equal(a.factor, b.factor));
  EXPECT_EQ(std::memcmp(a.probabilities.data(), b.probabilities.data(), a.probabilities.size()), 0);
}

TEST_P(AttentionKernelTest, SoftmaxEqualsThePortableOne) {
  for (const std::size_t keys : std::initializer_list<std::size_t>{32, 64, 128, 736})
    for (const std::size_t groups : std::initializer_list<std::size_t>{1, 2})
      for (const bool masked : {false, true})
        for (const float size : {0.1F, 20.0F, 200.0F}) {
          Softmax ours(keys, size);
          Softmax theirs(keys, size);
          for (std::size_t i = 0; masked && i < kLanes; ++i)
            ours.seen[i] = theirs.seen[i] = static_cast<std::int32_t>(i * keys / kLanes);
          EXPECT_EQ(ours.run(kernel(), groups, masked), theirs.run(portable(), groups, masked));
          expect_equal(ours, theirs);
        }
}

TEST_P(AttentionKernelTest, SoftmaxIsTheExponential) {
  Softmax softmax(128);
  const double unit = kernel().operand == Operand::f32 ? 2e-7 : 0x1p-8 + 2e-7;
  Softmax before(128);
  EXPECT_TRUE(softmax.run(kernel()));
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const auto maximum = static_cast<double>(softmax.maximum[lane]);
    double sum = static_cast<double>(before.sum[lane]) *
                 std::exp2(static_cast<double>(before.maximum[lane]) - maximum);
    for (std::size_t key = 0; key < 128; ++key) {
      const double p = std::exp2(static_cast<double>(before.score(key * kLanes + lane)) - maximum);
      // The difference is itself rounded: half a unit of a number up to 64.
      ASSERT_NEAR(static_cast<double>(softmax.probability(kernel().operand, key, lane)), p,
                  p * (unit + 3e-6));
      sum += p;
    }
    ASSERT_NEAR(static_cast<double>(softmax.sum[lane]), sum, sum * 1e-5);
  }
}

TEST_P(AttentionKernelTest, UnseenKeysChangeNothing) {
  Softmax softmax(64);
  const Softmax before(64);
  for (std::size_t lane = 0; lane < kLanes; lane += 2) softmax.seen[lane] = 0;
  for (std::size_t i = 0; i < 64 * kLanes; i += 2)
    softmax.score(i) = std::numeric_limits<float>::quiet_NaN();
  softmax.run(kernel());
  for (std::size_t lane = 0; lane < kLanes; lane += 2) {
    EXPECT_EQ(softmax.maximum[lane], before.maximum[lane]);
    EXPECT_EQ(softmax.sum[lane], before.sum[lane]);
    EXPECT_EQ(softmax.factor[lane], 1.0F);
    for (std::size_t key = 0; key < 64; ++key)
      EXPECT_EQ(softmax.probability(kernel().operand, key, lane), 0.0F);
  }
}

TEST_P(AttentionKernelTest, GrownMaximumIsReported) {
  Softmax softmax(32, 1.0F);
  std::fill_n(softmax.maximum, kLanes, 2.0F);
  EXPECT_FALSE(softmax.run(kernel()));
  for (const float factor : softmax.factor) EXPECT_EQ(factor, 1.0F);
  softmax.score(5 * kLanes + 20) = 3.0F;
  EXPECT_TRUE(softmax.run(kernel()));
  EXPECT_EQ(softmax.factor[20], 0.5F);
  EXPECT_EQ(softmax.factor[19], 1.0F);
}

// States of 32 rows with `pairs` pairs of output columns.
struct State {
  AlignedBuffer out;
  alignas(64) float maximum[kLanes];
  alignas(64) float sum[kLanes];
  State(std::size_t pairs, std::uint64_t seed) : out(pairs * kLanes * kPairColumns * 4) {
    for (std::size_t i = 0; i < numbers().size(); ++i) numbers()[i] = uniform(seed, i);
    for (std::size_t i = 0; i < kLanes; ++i) {
      maximum[i] = 10.0F * uniform(seed + 1, i);
      sum[i] = 2.0F + uniform(seed + 2, i);
    }
  }
  std::span<float> numbers() { return out.as<float>(); }
  AttentionState view() { return {numbers().data(), maximum, sum}; }
};

TEST_P(AttentionKernelTest, MergeEqualsThePortableOne) {
  for (const std::size_t rows : std::initializer_list<std::size_t>{1, 9, 16, 20, 32}) {
    State ours(2, 10);
    State theirs(2, 10);
    State other(2, 20);
    kernel().merge(ours.view(), other.view(), 2, rows);
    portable().merge(theirs.view(), other.view(), 2, rows);
    EXPECT_EQ(std::memcmp(ours.out.data(), theirs.out.data(), ours.out.size()), 0);
    EXPECT_EQ(std::memcmp(ours.sum, theirs.sum, rows * sizeof(float)), 0);
    EXPECT_EQ(std::memcmp(ours.maximum, theirs.maximum, rows * sizeof(float)), 0);
  }
}

TEST_P(AttentionKernelTest, MergeWithNothingChangesNothing) {
  State state(1, 10);
  State same(1, 10);
  State nothing(1, 20);
  std::fill_n(nothing.maximum, kLanes, kNoMaximum);
  std::fill_n(nothing.sum, kLanes, 0.0F);
  std::fill(nothing.numbers().begin(), nothing.numbers().end(), 0.0F);
  kernel().merge(state.view(), nothing.view(), 1, kLanes);
  EXPECT_EQ(std::memcmp(state.out.data(), same.out.data(), same.out.size()), 0);
  EXPECT_EQ(std::memcmp(state.sum, same.sum, sizeof(same.sum)), 0);
  EXPECT_EQ(std::memcmp(state.maximum, same.maximum, sizeof(same.maximum)), 0);
}

TEST_P(AttentionKernelTest, RescaleMultipliesItsRowsOnly) {
  State state(3, 10);
  State before(3, 10);
  kernel().rescale(state.numbers().data(), 3, 5, before.sum);
  for (std::size_t i = 0; i < before.numbers().size(); ++i) {
    const std::size_t row = i / kPairColumns % kLanes;
    EXPECT_EQ(state.numbers()[i],
              row < 5 ? before.numbers()[i] * before.sum[row] : before.numbers()[i]);
  }
}

TEST_P(AttentionKernelTest, FinishEqualsThePortableOneAndHasNoNegativeZero) {
  State state(2, 10);
  state.numbers()[3] = -0.0F;
  AlignedBuffer ours(2 * 2 * tile_bytes());
  AlignedBuffer theirs(2 * 2 * tile_bytes());
  std::vector<std::byte*> our_lines;
  std::vector<std::byte*> their_lines;
  for (std::size_t row = 0; row < kLanes; ++row) {
    const std::size_t at = left_index(row, 0, 2) * bytes_of(kernel().operand);
    our_lines.push_back(ours.data() + at);
    their_lines.push_back(theirs.data() + at);
  }
  kernel().finish(state.view(), 2, kLanes, our_lines.data());
  portable().finish(state.view(), 2, kLanes, their_lines.data());
  EXPECT_EQ(std::memcmp(ours.data(), theirs.data(), ours.size()), 0);
  const float zero =
      kernel().operand == Operand::f32 ? ours.as<float>()[3] : to_float(ours.as<Bf16>()[3]);
  EXPECT_FALSE(std::signbit(zero));
}

TEST_P(AttentionKernelTest, TilesEqualThePortableOnes) {
  std::vector<float> numbers(kLanes * kTileDepth);
  const float* rows[kLanes];
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = uniform(30, i);
  for (std::size_t i = 0; i < kLanes; ++i) rows[i] = numbers.data() + i * kTileDepth;
  AlignedBuffer ours(2 * tile_bytes());
  AlignedBuffer theirs(2 * tile_bytes());
  const auto equal = [&] { return std::memcmp(ours.data(), theirs.data(), ours.size()) == 0; };
  kernel().query_tile(rows, 0.3F, ours.data());
  portable().query_tile(rows, 0.3F, theirs.data());
  EXPECT_TRUE(equal());
  kernel().value_tiles(rows, ours.data());
  portable().value_tiles(rows, theirs.data());
  EXPECT_TRUE(equal());
  const AlignedBuffer keys = std::move(theirs);
  theirs = AlignedBuffer(2 * tile_bytes());
  kernel().turn_tiles(keys.data(), keys.data() + tile_bytes(), ours.data());
  portable().turn_tiles(keys.data(), keys.data() + tile_bytes(), theirs.data());
  EXPECT_TRUE(equal());
}

std::vector<AttentionKernel> all_kernels() {
  return {attention_kernels().begin(), attention_kernels().end()};
}
std::string kernel_name(const testing::TestParamInfo<AttentionKernel>& kernel) {
  return kernel.param.name;
}
INSTANTIATE_TEST_SUITE_P(Table, AttentionKernelTest, testing::ValuesIn(all_kernels()), kernel_name);

TEST(AttentionKernelTable, HasTheNearestPlainerKernel) {
  EXPECT_EQ(attention_kernel(Isa::portable, Operand::bf16).isa, Isa::portable);
  EXPECT_EQ(attention_kernel(Isa::portable, Operand::f32).operand, Operand::f32);
  EXPECT_LE(attention_kernel(Isa::amx, Operand::bf16).isa, Isa::amx);
}

}  // namespace
}  // namespace vl2
