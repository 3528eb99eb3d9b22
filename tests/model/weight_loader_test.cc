// SPDX-License-Identifier: MIT
#include "model/weight_loader.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "kernels/matmul/pack.h"
#include "model/memory_source.h"
#include "model/packing_source.h"

namespace vl2 {
namespace {

std::vector<float> counting(std::size_t count, float first = 0) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

std::vector<float> unpacked(const Weight& weight, std::size_t matrix = 0) {
  std::vector<float> out(weight.columns() * weight.depth());
  unpack_matrix(weight, matrix, out);
  return out;
}

class WeightLoaderTest : public testing::Test {
 protected:
  MemorySource source_;
  ThreadTeam team_{2};
  PackingSource packing_{source_, Recipe::f32, team_};
};

TEST_F(WeightLoaderTest, LinearKeepsRowsAndBias) {
  source_.put("l.weight", {50, 7}, counting(350));
  source_.put("l.bias", {50}, counting(50, 1));
  WeightLoader loader(packing_);
  const Linear layer = loader.linear(WeightRole::attention, "l", 50, 7, true);
  EXPECT_EQ(unpacked(layer.weight), counting(350));
  EXPECT_EQ(layer.bias, counting(50, 1));
}

TEST_F(WeightLoaderTest, GateAndUpAlternateEverySixteenRows) {
  source_.put("m.gate_proj.weight", {20, 3}, counting(60));
  source_.put("m.up_proj.weight", {20, 3}, counting(60, 1000));
  source_.put("m.down_proj.weight", {3, 20}, counting(60));
  WeightLoader loader(packing_);
  const GatedMlpWeights mlp = loader.gated_mlp(WeightRole::dense_mlp, "m", 3, 20);
  ASSERT_EQ(mlp.gate_up.columns(), 64U);
  const std::vector<float> rows = unpacked(mlp.gate_up);
  EXPECT_EQ(rows[0 * 3], 0);         // gate 0
  EXPECT_EQ(rows[16 * 3], 1000);     // up 0
  EXPECT_EQ(rows[32 * 3], 48);       // gate 16
  EXPECT_EQ(rows[48 * 3], 1048);     // up 16
  EXPECT_EQ(rows[36 * 3], 0);        // gate 20 does not exist
  EXPECT_EQ(mlp.down.depth(), 32U);  // whole panels of the inner width
}

TEST_F(WeightLoaderTest, LatentUpIsCutByHeadAndKeysAreTransposed) {
  // Two heads of 2 key rows and 1 value row over rank 3.
  source_.put("b.weight", {6, 3}, counting(18));
  WeightLoader loader(packing_);
  const auto up = loader.latent_up(
      "b", {.heads = 2, .qk_nope_head_dim = 2, .v_head_dim = 1, .kv_lora_rank = 3});
  EXPECT_THAT(unpacked(up.key, 1), testing::ElementsAre(9, 12, 10, 13, 11, 14));
  EXPECT_THAT(unpacked(up.value, 1), testing::ElementsAre(15, 16, 17));
}

TEST_F(WeightLoaderTest, NotANumberIsNamed) {
  std::vector<float> values = counting(350);
  values[123] = std::numeric_limits<float>::quiet_NaN();
  source_.put("l.weight", {50, 7}, values);
  WeightLoader loader(packing_);
  try {
    loader.linear(WeightRole::attention, "l", 50, 7, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_checkpoint);
    EXPECT_THAT(error.what(), testing::HasSubstr("l.weight"));
  }
}

TEST_F(WeightLoaderTest, ProgressCountsBytes) {
  source_.put("l.weight", {4, 4}, counting(16));
  source_.put("l.bias", {4}, counting(4));
  std::vector<std::size_t> seen;
  PackingSource packing(source_, Recipe::bf16, team_,
                        [&](std::size_t bytes) { seen.push_back(bytes); });
  WeightLoader loader(packing);
  loader.linear(WeightRole::attention, "l", 4, 4, true);
  EXPECT_THAT(seen, testing::ElementsAre(64, 80));
}

}  // namespace
}  // namespace vl2
