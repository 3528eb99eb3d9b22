// SPDX-License-Identifier: MIT
// Routed experts: against doubles, and a token alone against the same token in crowds, bit for bit.
#include "kernels/moe/experts.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/matmul/kernel_cases.h"
#include "kernels/matmul/pack.h"
#include "kernels/matmul/quantized_kernel.h"
#include "kernels/moe/schedule.h"

namespace vl2 {
namespace {

struct Case {
  Isa isa;
  WeightFormat format;
};
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const MatmulKernel& kernel : matmul_kernels())
    all.push_back(
        {kernel.isa, kernel.operand == Operand::f32 ? WeightFormat::f32 : WeightFormat::bf16});
  for (const QuantizedKernel& kernel : quantized_kernels())
    all.push_back({kernel.isa, kernel.weights});
  return all;
}

constexpr std::size_t kHidden = 96;
constexpr std::size_t kInner = 48;
constexpr std::size_t kExperts = 12;
constexpr std::size_t kTopK = 3;

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(random_unit(seed, i) * 2.0 - 1.0) * 0.5F;
  return out;
}

class Experts : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!can_run(GetParam().isa)) GTEST_SKIP() << "needs " << to_string(GetParam().isa);
    const WeightFormat format = GetParam().format;
    weights_ = {Weight(format, 2 * kInner, kHidden, kExperts),
                Weight(format, kHidden, kInner, kExperts)};
    for (std::size_t e = 0; e < kExperts; ++e) {
      const auto gate = random_floats(kInner * kHidden, 3 * e);
      const auto up = random_floats(kInner * kHidden, 3 * e + 1);
      for (std::size_t pair = 0; pair < weights_.gate_up.pairs(); ++pair) {
        PairRows<float> rows{};
        for (std::size_t n = 0; n < kTileColumns; ++n) {
          rows[n] = gate.data() + (pair * kTileColumns + n) * kHidden;
          rows[kTileColumns + n] = up.data() + (pair * kTileColumns + n) * kHidden;
        }
        pack_pair(format, rows, kHidden, weights_.gate_up.mutable_pair(e, pair));
      }
      pack_matrix(std::span<const float>(random_floats(kInner * kHidden, 3 * e + 2)), weights_.down,
                  e);
    }
  }
  Operand operand() const { return operand_of(GetParam().format); }
  KernelSet kernels() const { return KernelSet::of(GetParam().isa, operand()); }

  // Token t of an endless sequence of tokens: its row, its experts and their factors.
  static std::vector<float> row_of(std::size_t t) { return random_floats(kHidden, 500 + t); }
  static std::uint32_t expert_of(std::size_t t, std::size_t rank) {
    const std::uint64_t first = random_bits(9, t) % kExperts;
    return static_cast<std::uint32_t>((first + rank * (1 + random_bits(10, t) % 3)) % kExperts);
  }
  static float factor_of(std::size_t t, std::size_t rank) {
    return static_cast<float>(random_unit(11, t * kTopK + rank));
  }

  // What add_experts adds to rows of 0.25 for the given tokens.
  std::vector<float> run(const std::vector<std::size_t>& tokens, int threads) {
    ScratchScope scope(arena_);
    const std::size_t count = tokens.size();
    Packed x = arena_.packed(operand(), count, kHidden);
    std::memset(x.tiles, 0, x.total_bytes());
    std::vector<std::uint32_t> experts;
    std::vector<float> factors;
    for (std::size_t i = 0; i < count; ++i) {
      kernels().rowwise->pack_row(row_of(tokens[i]).data(), kHidden, operand(), x.line(0, i, 0));
      for (std::size_t rank = 0; rank < kTopK; ++rank) {
        experts.push_back(expert_of(tokens[i], rank));
        factors.push_back(factor_of(tokens[i], rank));
      }
    }
    std::vector<float> out(count * kHidden, 0.25F);
    add_experts(kernels(), ThreadTeam(threads), arena_, {out.data(), count, kHidden, kHidden},
                {x, {kTopK, experts, factors}}, weights_);
    return out;
  }

  ExpertWeights weights_;
  Arena arena_;
};

TEST_P(Experts, AddWhatTheFormulaSays) {
  std::vector<std::size_t> tokens(20);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = i;
  const std::vector<float> out = run(tokens, 2);
  const auto rounded = [&](float x) {
    return static_cast<double>(operand() == Operand::f32 ? x : to_float(to_bf16(x)));
  };
  for (const std::size_t t : tokens) {
    std::vector<double> expected(kHidden, 0.25);
    const auto x = row_of(t);
    for (std::size_t rank = 0; rank < kTopK; ++rank) {
      const std::size_t e = expert_of(t, rank);
      // Pairs of panels: 16 rows of gate, 16 of up.
      std::vector<float> gate_up(2 * kInner * kHidden);
      std::vector<float> down(kInner * kHidden);
      unpack_matrix(weights_.gate_up, e, gate_up);
      unpack_matrix(weights_.down, e, down);
      for (std::size_t i = 0; i < kInner; ++i) {
        const float* gate =
            &gate_up[(i / kTileColumns * kPairColumns + i % kTileColumns) * kHidden];
        const float* up = gate + kTileColumns * kHidden;
        double g = 0.0;
        double u = 0.0;
        for (std::size_t k = 0; k < kHidden; ++k) {
          g += rounded(x[k]) * static_cast<double>(gate[k]);
          u += rounded(x[k]) * static_cast<double>(up[k]);
        }
        const double inner = g / (1.0 + std::exp(-g)) * u;
        for (std::size_t n = 0; n < kHidden; ++n)
          expected[n] += static_cast<double>(factor_of(t, rank)) * inner *
                         static_cast<double>(down[n * kInner + i]);
      }
    }
    // Rounding the inner numbers (sizes up to about 10) to bf16 is the largest error.
    const double tolerance = operand() == Operand::f32 ? 1e-4 : 0.1;
    for (std::size_t n = 0; n < kHidden; ++n)
      ASSERT_NEAR(out[t * kHidden + n], expected[n], tolerance) << t << ' ' << n;
  }
}

TEST_P(Experts, ATokenIsTheSameAloneAndInEveryCrowd) {
  // Enough tokens for whole experts on threads, unless the kernel is the slow definition.
  const std::size_t most = GetParam().isa == Isa::portable ? 40 : 600;
  std::vector<std::vector<float>> alone(most);
  const auto check = [&](const std::vector<std::size_t>& tokens, int threads) {
    const std::vector<float> out = run(tokens, threads);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::vector<float>& expected = alone[tokens[i]];
      if (expected.empty()) expected = run({tokens[i]}, 1);
      ASSERT_EQ(std::memcmp(&out[i * kHidden], expected.data(), kHidden * sizeof(float)), 0)
          << "token " << tokens[i] << " among " << tokens.size() << ", " << threads << " threads";
    }
  };
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{17}, most / 2, most})
    for (const int threads : {1, 2, 3, 8}) {
      std::vector<std::size_t> tokens(count);
      for (std::size_t i = 0; i < count; ++i) tokens[i] = (i * 7 + count) % most;
      check(tokens, threads);
    }
}

TEST_P(Experts, NoTokensIsNoWork) { EXPECT_TRUE(run({}, 2).empty()); }

INSTANTIATE_TEST_SUITE_P(All, Experts, testing::ValuesIn(cases()), [](const auto& one) {
  return std::string(to_string(one.param.isa)) + "_" + std::string(to_string(one.param.format));
});

TEST(ExpertSchedule, GroupsKeepTokensInOrderAndKnowTheirSlots) {
  Arena arena;
  std::vector<std::uint32_t> experts = {3, 0, 3, 5, 0, 3};  // three tokens, two each
  std::vector<float> factors(6, 1.0F);
  const Grouping grouping = group_by_expert({2, experts, factors}, 10, 6, arena);
  ASSERT_EQ(grouping.groups.size(), 3U);
  EXPECT_EQ(grouping.groups[1].expert, 3U);
  EXPECT_EQ(grouping.groups[1].first_packed_row, 16U);
  EXPECT_EQ(grouping.packed_rows, 48U);
  EXPECT_EQ(grouping.most_rows, 3U);
  const std::vector<std::uint32_t> tokens(grouping.tokens.begin(), grouping.tokens.end());
  EXPECT_EQ(tokens, (std::vector<std::uint32_t>{10, 12, 10, 11, 12, 11}));
  for (std::size_t i = 0; i < experts.size(); ++i)
    EXPECT_EQ(grouping.tokens[grouping.slot_of[i]], 10 + i / 2);
}

TEST(ExpertSchedule, SharesCoverEveryPairOnce) {
  Arena arena;
  std::vector<std::uint32_t> experts;
  for (std::size_t i = 0; i < 60; ++i)
    experts.push_back(static_cast<std::uint32_t>(random_bits(1, i) % 9));
  std::vector<float> factors(60, 1.0F);
  const Grouping grouping = group_by_expert({6, experts, factors}, 0, 9, arena);
  for (const std::size_t threads : {1U, 2U, 7U, 64U}) {
    std::vector<int> seen(9 * 5);
    for (std::size_t thread = 0; thread < threads; ++thread)
      for_each_share(grouping, 5, thread, threads, [&](const ExpertGroup& group, Share pairs) {
        for (std::size_t pair = pairs.begin; pair < pairs.end; ++pair)
          ++seen[group.expert * 5 + pair];
      });
    EXPECT_EQ(seen, std::vector<int>(9 * 5, 1)) << threads << " threads";
  }
}

TEST(ExpertSchedule, ManyRowsGoToThreadsWholeAndFewAreShared) {
  Arena arena;
  std::vector<std::uint32_t> experts(64 * 100);
  for (std::size_t i = 0; i < experts.size(); ++i) experts[i] = static_cast<std::uint32_t>(i % 64);
  std::vector<float> factors(experts.size(), 1.0F);
  const Grouping many = group_by_expert({4, experts, factors}, 0, 64, arena);
  EXPECT_TRUE(assign_experts(many, 2, arena).balanced);
  EXPECT_FALSE(assign_experts(many, 48, arena).balanced);  // 16 threads would have two
  const auto first = std::span(experts).first(4);
  const Grouping few = group_by_expert({4, first, std::span(factors).first(4)}, 0, 64, arena);
  EXPECT_FALSE(assign_experts(few, 2, arena).balanced);
}

}  // namespace
}  // namespace vl2
