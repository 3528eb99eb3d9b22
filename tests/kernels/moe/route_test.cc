// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "kernels/moe/experts.h"
#include "tensor/arena.h"

namespace vl2 {
namespace {

using Experts = std::vector<std::uint32_t>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Routing needs the row-wise kernels alone.
KernelSet kernel_set(Isa isa = Isa::portable) {
  return {isa, Operand::f32, nullptr, nullptr, nullptr, &rowwise_kernels(isa)};
}

struct Routed {
  Experts experts;
  std::vector<float> weights;
};

Routed route_rows(const RouterRule& rule, std::vector<float> logits, std::size_t width,
                  int threads = 1) {
  Arena arena;
  const Rows rows{logits.data(), logits.size() / width, width, width};
  const Routing routing = route(kernel_set(), ThreadTeam(threads), rule, rows, arena);
  EXPECT_EQ(routing.top_k, rule.top_k);
  return {{routing.experts.begin(), routing.experts.end()},
          {routing.weights.begin(), routing.weights.end()}};
}

Routed route_one(const RouterRule& rule, const std::vector<float>& logits) {
  return route_rows(rule, logits, logits.size());
}

float logistic(float x) { return 1.0F / (1.0F + std::exp(-x)); }
// The logit whose sigmoid is p.
float logit(float p) { return std::log(p / (1.0F - p)); }

RouterRule softmax_rule(std::size_t top_k) {
  return {.topk_method = TopkMethod::greedy, .scoring_func = ScoringFunc::softmax, .top_k = top_k};
}

TEST(Route, GreedySoftmaxTakesTheBestWithTheirProbabilities) {
  // Probabilities 0.1, 0.4, 0.2, 0.3.
  const Routed out =
      route_one(softmax_rule(3), {std::log(1.0F), std::log(4.0F), std::log(2.0F), std::log(3.0F)});
  EXPECT_EQ(out.experts, (Experts{1, 3, 2}));
  EXPECT_NEAR(out.weights[0], 0.4F, 1e-6F);
  EXPECT_NEAR(out.weights[1], 0.3F, 1e-6F);
  EXPECT_NEAR(out.weights[2], 0.2F, 1e-6F);
}

TEST(Route, TiesGoToTheLowerIndex) {
  EXPECT_EQ(route_one(softmax_rule(3), {1, 2, 1, 2, 1}).experts, (Experts{1, 3, 0}));
  EXPECT_EQ(route_one(softmax_rule(4), {5, 5, 5, 5}).experts, (Experts{0, 1, 2, 3}));
}

TEST(Route, AllExpertsCanBeChosen) {
  EXPECT_EQ(route_one(softmax_rule(4), {1, 4, 2, 3}).experts, (Experts{1, 3, 2, 0}));
}

TEST(Route, NormalisedWeightsAreScaledToo) {
  RouterRule rule = softmax_rule(2);
  rule.norm_topk_prob = true;
  rule.routed_scaling_factor = 2.5F;
  const Routed out = route_one(rule, {std::log(1.0F), std::log(6.0F), std::log(3.0F)});
  EXPECT_EQ(out.experts, (Experts{1, 2}));
  EXPECT_NEAR(out.weights[0], 2.5F * 6 / 9, 1e-6F);
  EXPECT_NEAR(out.weights[1], 2.5F * 3 / 9, 1e-6F);
}

TEST(Route, UnnormalisedWeightsAreScaled) {
  RouterRule rule = softmax_rule(2);
  rule.routed_scaling_factor = 16.0F;
  const Routed out = route_one(rule, {std::log(1.0F), std::log(6.0F), std::log(3.0F)});
  EXPECT_NEAR(out.weights[0], 9.6F, 1e-5F);
  EXPECT_NEAR(out.weights[1], 4.8F, 1e-5F);
}

TEST(Route, ASingleExpertIsNotNormalised) {
  RouterRule rule = softmax_rule(1);
  rule.norm_topk_prob = true;
  EXPECT_NEAR(route_one(rule, {std::log(3.0F), 0.0F}).weights[0], 0.75F, 1e-6F);
}

TEST(Route, SigmoidScoresStandForThemselves) {
  RouterRule rule = softmax_rule(2);
  rule.scoring_func = ScoringFunc::sigmoid;
  const Routed out = route_one(rule, {-1.0F, 2.0F, 0.5F});
  EXPECT_EQ(out.experts, (Experts{1, 2}));
  EXPECT_NEAR(out.weights[0], logistic(2.0F), 1e-6F);
  EXPECT_NEAR(out.weights[1], logistic(0.5F), 1e-6F);
}

RouterRule noaux_rule(std::size_t top_k, const std::vector<float>& bias) {
  return {.topk_method = TopkMethod::noaux_tc,
          .scoring_func = ScoringFunc::sigmoid,
          .top_k = top_k,
          .score_correction_bias = bias.data()};
}

TEST(Route, NoauxBiasChoosesButDoesNotWeigh) {
  const std::vector<float> bias = {0.5F, 0.0F, -0.5F, 0.0F};
  // Scores 0.3, 0.6, 0.9, 0.2; with bias 0.8, 0.6, 0.4, 0.2.
  const Routed out =
      route_one(noaux_rule(2, bias), {logit(0.3F), logit(0.6F), logit(0.9F), logit(0.2F)});
  EXPECT_EQ(out.experts, (Experts{0, 1}));
  EXPECT_NEAR(out.weights[0], 0.3F, 1e-6F);
  EXPECT_NEAR(out.weights[1], 0.6F, 1e-6F);
}

TEST(Route, NoauxWithoutGroupsMasksNothing) {
  const std::vector<float> bias = {-2.0F, -2.0F, -2.0F};
  const Routed out = route_one(noaux_rule(2, bias), {logit(0.3F), logit(0.2F), logit(0.9F)});
  EXPECT_EQ(out.experts, (Experts{2, 0}));
}

TEST(Route, NoauxGroupsCountTheirTwoBestExperts) {
  const std::vector<float> bias(6, 0.0F);
  RouterRule rule = noaux_rule(2, bias);
  rule.n_group = 2;
  rule.topk_group = 1;
  // 0.9 + 0.1 against 0.6 + 0.5: the second group wins without having the best expert.
  const Routed out = route_one(
      rule, {logit(0.9F), logit(0.1F), logit(0.05F), logit(0.6F), logit(0.5F), logit(0.4F)});
  EXPECT_EQ(out.experts, (Experts{3, 4}));
}

TEST(Route, NoauxMaskedExpertWinsAgainstNegativeScores) {
  const std::vector<float> bias = {-0.7F, -0.8F, -0.9F, -0.95F};
  RouterRule rule = noaux_rule(2, bias);
  rule.n_group = 2;
  rule.topk_group = 1;
  // With bias -0.1, -0.3 | -0.6, -0.65: the first group wins, the masked second one stands at 0.
  const Routed out = route_one(rule, {logit(0.6F), logit(0.5F), logit(0.3F), logit(0.3F)});
  EXPECT_EQ(out.experts, (Experts{2, 3}));
  EXPECT_NEAR(out.weights[0], 0.3F, 1e-6F);
}

TEST(Route, NoauxGroupsOfOneExpert) {
  const std::vector<float> bias(3, 0.0F);
  RouterRule rule = noaux_rule(1, bias);
  rule.n_group = 3;
  rule.topk_group = 2;
  EXPECT_EQ(route_one(rule, {0.0F, 2.0F, 1.0F}).experts, (Experts{1}));
}

RouterRule grouped_rule(std::size_t top_k, std::size_t n_group, std::size_t topk_group) {
  return {.topk_method = TopkMethod::group_limited_greedy,
          .scoring_func = ScoringFunc::softmax,
          .top_k = top_k,
          .n_group = n_group,
          .topk_group = topk_group};
}

TEST(Route, GroupLimitedGreedyStaysInTheBestGroups) {
  // Groups (9, 1), (8, 7), (6, 5) of 36: the best two groups hold 9, 8, 7, 1.
  const std::vector<float> logits = {std::log(9.0F), std::log(1.0F), std::log(8.0F),
                                     std::log(7.0F), std::log(6.0F), std::log(5.0F)};
  const Routed out = route_one(grouped_rule(4, 3, 2), logits);
  EXPECT_EQ(out.experts, (Experts{0, 2, 3, 1}));
  EXPECT_NEAR(out.weights[3], 1.0F / 36, 1e-6F);
}

TEST(Route, GroupLimitedGreedyGivesMaskedExpertsNoWeight) {
  // Expert 1 of the best group has probability 0, no more than a masked expert.
  const Routed out = route_one(grouped_rule(3, 2, 1), {5.0F, -1e30F, 1.0F, 2.0F});
  EXPECT_EQ(out.experts, (Experts{0, 1, 2}));
  EXPECT_EQ(out.weights[1], 0.0F);
  EXPECT_EQ(out.weights[2], 0.0F);
}

TEST(Route, EqualGroupsGoToTheLowerIndex) {
  EXPECT_EQ(route_one(grouped_rule(2, 3, 1), {1, 3, 3, 2, 3, 0}).experts, (Experts{1, 0}));
}

TEST(Route, NanLogitsAreChosenLast) {
  for (const ScoringFunc scoring : {ScoringFunc::softmax, ScoringFunc::sigmoid}) {
    RouterRule rule = softmax_rule(3);
    rule.scoring_func = scoring;
    const Routed out = route_one(rule, {kNan, 1.0F, 2.0F, kNan, -3.0F});
    EXPECT_EQ(out.experts, (Experts{2, 1, 4}));
    for (const float weight : out.weights) EXPECT_TRUE(std::isfinite(weight));
    EXPECT_EQ(route_one(rule, {kNan, kNan, kNan}).experts, (Experts{0, 1, 2}));
  }
}

TEST(Route, InfiniteLogitsAreOrdered) {
  const Routed out = route_one(softmax_rule(2), {0.0F, kInfinity, -kInfinity});
  EXPECT_EQ(out.experts, (Experts{1, 0}));
  EXPECT_EQ(out.weights[0], 1.0F);
}

TEST(Route, NanBiasIsChosenLast) {
  const std::vector<float> bias = {kNan, 0.0F, 0.0F};
  EXPECT_EQ(route_one(noaux_rule(2, bias), {5.0F, 1.0F, 2.0F}).experts, (Experts{2, 1}));
}

TEST(Route, ARowDoesNotDependOnOthersOrThreads) {
  constexpr std::size_t kTokens = 70;
  constexpr std::size_t kExperts = 24;
  std::vector<float> logits(kTokens * kExperts);
  for (std::size_t i = 0; i < logits.size(); ++i)
    logits[i] = static_cast<float>(random_unit(7, i) * 6 - 3);
  RouterRule rule = grouped_rule(6, 4, 2);
  rule.norm_topk_prob = true;
  const Routed together = route_rows(rule, logits, kExperts);
  for (const int threads : {2, 3, 4}) {
    const Routed split = route_rows(rule, logits, kExperts, threads);
    EXPECT_EQ(split.experts, together.experts);
    EXPECT_EQ(split.weights, together.weights);
  }
  for (std::size_t token = 0; token < kTokens; ++token) {
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(token * kExperts);
    const Routed alone = route_one(rule, std::vector<float>(begin, begin + kExperts));
    for (std::size_t rank = 0; rank < 6; ++rank) {
      EXPECT_EQ(alone.experts[rank], together.experts[token * 6 + rank]);
      EXPECT_EQ(alone.weights[rank], together.weights[token * 6 + rank]);
    }
  }
}

TEST(Route, KeepsTheRoutingAndGivesScratchBack) {
  Arena arena;
  std::vector<float> logits(64, 0.5F);
  const Rows rows{logits.data(), 2, 32, 32};
  const Routing routing = route(kernel_set(), ThreadTeam(1), softmax_rule(2), rows, arena);
  std::byte* next = arena.allocate(64);
  EXPECT_GE(next, reinterpret_cast<std::byte*>(routing.weights.data() + 4));
  EXPECT_LE(next, reinterpret_cast<std::byte*>(routing.weights.data()) + 64);
}

}  // namespace
}  // namespace vl2
