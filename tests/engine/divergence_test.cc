// SPDX-License-Identifier: MIT
#include "engine/divergence.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

using Logits = std::vector<float>;

TEST(Divergence, IsThatOfTheDefinition) {
  // Probabilities 1/2, 1/4, 1/4 against 1/4, 1/4, 1/2.
  const Logits a = {std::log(2.0F), 0.0F, 0.0F};
  const Logits b = {0.0F, 0.0F, std::log(2.0F)};
  const Divergence found = divergence(a, b);
  EXPECT_NEAR(found.nats, 0.25 * std::log(2.0), 1e-7);
  EXPECT_FALSE(found.same_choice);
  // Not symmetric: 1/2, 1/2 against 3/4, 1/4 and the other way.
  const Logits even = {0.0F, 0.0F};
  const Logits uneven = {std::log(3.0F), 0.0F};
  EXPECT_NEAR(divergence(even, uneven).nats, 0.5 * std::log(4.0 / 3.0), 1e-7);
  EXPECT_NEAR(divergence(uneven, even).nats, 0.75 * std::log(1.5) - 0.25 * std::log(2.0), 1e-7);
}

TEST(Divergence, ConstantsAndSizesOfLogitsDoNotMatter) {
  const Logits a = {1.0F, -2.0F, 0.5F};
  EXPECT_EQ(divergence(a, a).nats, 0.0);
  EXPECT_TRUE(divergence(a, a).same_choice);
  EXPECT_NEAR(divergence(a, Logits{65.0F, 62.0F, 64.5F}).nats, 0.0, 1e-12);
  const Logits sure = {1000.0F, -1000.0F};
  EXPECT_EQ(divergence(sure, sure).nats, 0.0);
  EXPECT_NEAR(divergence(sure, Logits{-1000.0F, 1000.0F}).nats, 2000.0, 1e-9);
}

TEST(Divergence, OfEqualLogitsTheFirstIsTheChoice) {
  EXPECT_TRUE(divergence(Logits{1.0F, 1.0F}, Logits{2.0F, 0.0F}).same_choice);
  EXPECT_FALSE(divergence(Logits{1.0F, 1.0F}, Logits{0.0F, 2.0F}).same_choice);
}

TEST(Divergence, SummaryHasMeanPercentileAndAgreement) {
  std::vector<Divergence> all;
  for (int i = 0; i <= 200; ++i) all.push_back({static_cast<double>(200 - i), i % 4 != 0});
  const DivergenceSummary summary = summarize(all);
  EXPECT_EQ(summary.tokens, 201U);
  EXPECT_DOUBLE_EQ(summary.mean, 100.0);
  EXPECT_DOUBLE_EQ(summary.percentile_99, 198.0);
  EXPECT_EQ(summary.largest, 200.0);
  EXPECT_EQ(summary.same_choices, 150U);
  EXPECT_DOUBLE_EQ(summary.agreement(), 150.0 / 201.0);
  const std::vector<Divergence> two = {{1.0, true}, {2.0, true}};
  EXPECT_DOUBLE_EQ(summarize(two).percentile_99, 1.99);
  EXPECT_EQ(summarize({}).agreement(), 1.0);
}

}  // namespace
}  // namespace vl2
