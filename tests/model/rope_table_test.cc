// SPDX-License-Identifier: MIT
#include "model/rope_table.h"

#include <cmath>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

LanguageConfig latent_config() {
  LanguageConfig config;
  config.attention =
      LatentAttentionConfig{.q_lora_rank = {}, .qk_nope_head_dim = 24, .qk_rope_head_dim = 16};
  config.max_position_embeddings = 64;
  return config;
}

void expect_angle(const RopeTable& table, std::size_t position, std::size_t i, double angle) {
  const std::size_t at = position * table.width / 2 + i;
  EXPECT_NEAR(table.cosines[at], std::cos(angle), 1e-5);
  EXPECT_NEAR(table.sines[at], std::sin(angle), 1e-5);
}

TEST(RopeTable, LatentAttentionRotatesAdjacentPairsOfTheRopePart) {
  const RopeTable table = build_rope_table(latent_config(), 10);
  EXPECT_EQ(table.pairing, RopePairing::adjacent);
  EXPECT_EQ(table.width, 16U);
  expect_angle(table, 7, 3, 7 * std::pow(10000.0, -6.0 / 16));
}

TEST(RopeTable, PlainAttentionRotatesHalvesOfTheHead) {
  LanguageConfig config;
  config.attention = PlainAttentionConfig{.num_key_value_heads = 2, .head_dim = 32};
  const RopeTable table = build_rope_table(config, 10);
  EXPECT_EQ(table.pairing, RopePairing::half);
  EXPECT_EQ(table.width, 32U);
}

TEST(RopeTable, LinearScalingDividesPositions) {
  LanguageConfig config = latent_config();
  config.rope_scaling = {.kind = RopeScalingKind::linear, .factor = 4};
  expect_angle(build_rope_table(config, 20), 18, 0, 4.5);
}

TEST(RopeTable, DynamicScalingBeginsBeyondTheTrainedLength) {
  LanguageConfig config = latent_config();
  config.rope_scaling = {.kind = RopeScalingKind::dynamic, .factor = 2};
  const RopeTable table = build_rope_table(config, 128);
  expect_angle(table, 63, 2, 63 * std::pow(10000.0, -4.0 / 16));
  const double theta = 10000.0 * std::pow(2.0 * 101 / 64 - 1, 16.0 / 14);
  expect_angle(table, 100, 2, 100 * std::pow(theta, -4.0 / 16));
}

TEST(RopeTable, PositionsDoNotDependOnTheLengthOfTheTable) {
  LanguageConfig config = latent_config();
  config.rope_scaling = {.kind = RopeScalingKind::dynamic, .factor = 2};
  const RopeTable small = build_rope_table(config, 90);
  const RopeTable large = build_rope_table(config, 200);
  EXPECT_TRUE(std::equal(small.sines.begin(), small.sines.end(), large.sines.begin()));
}

TEST(RopeTable, YarnKeepsHighFrequenciesAndDividesLowOnes) {
  LanguageConfig config = latent_config();
  config.rope_scaling = {.kind = RopeScalingKind::yarn,
                         .factor = 8,
                         .mscale_all_dim = 1,
                         .original_max_position_embeddings = 512};
  const RopeTable table = build_rope_table(config, 10);
  expect_angle(table, 5, 0, 5);
  expect_angle(table, 5, 7, 5 * std::pow(10000.0, -14.0 / 16) / 8);
}

TEST(AttentionScale, GrowsWithYarnsMscale) {
  LanguageConfig config = latent_config();
  EXPECT_FLOAT_EQ(attention_scale(config), 1 / std::sqrt(40.0F));
  config.rope_scaling = {.kind = RopeScalingKind::yarn, .factor = 8, .mscale_all_dim = 0.707};
  const double mscale = 0.1 * 0.707 * std::log(8.0) + 1;
  EXPECT_FLOAT_EQ(attention_scale(config), static_cast<float>(mscale * mscale / std::sqrt(40.0)));
}

}  // namespace
}  // namespace vl2
