// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/program.h"
#include "bench_counts.h"
#include "bench_samples.h"
#include "checkpoint/model_config.h"
#include "engine/memory_limit.h"
#include "engine/memory_need.h"
#include "engine/model_files.h"
#include "engine/model_shapes.h"

namespace vl2 {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(BenchCounts, VisionTowerByHand) {
  ModelConfig config;
  config.vision = {
      .image_size = 4, .patch_size = 2, .width = 3, .layers = 5, .heads = 1, .mlp_ratio = 2};
  config.projector.projector_type = ProjectorType::linear;
  config.projector.input_dim = 3;
  config.projector.n_embed = 7;
  const double embedding = 4 * 12 * 3;
  const double layer = 4 * (4 * 9 + 2 * 3 * 6) + 2 * 4 * 4 * 3;
  const double projector = 4 * 3 * 7;
  EXPECT_DOUBLE_EQ(vision_flops_per_tile(config), 2 * (embedding + 5 * layer + projector));
}

TEST(BenchCounts, PromptIsTheSumOfItsTokens) {
  const ModelConfig config = tiny_shape();
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i) sum += language_flops(config, {i, 1, i == 4 ? 1U : 0U});
  EXPECT_DOUBLE_EQ(language_flops(config, {0, 5, 1}), sum);
}

// A key more costs each head the products with it and with its value.
TEST(BenchCounts, AttentionGrowsByAKey) {
  const auto step = [](const ModelConfig& config) {
    return language_flops(config, {1000, 1, 1}) - language_flops(config, {999, 1, 1});
  };
  EXPECT_DOUBLE_EQ(step(tiny_shape()), 2.0 * 12 * 10 * (128 + 128));
  EXPECT_DOUBLE_EQ(step(small_shape()), 2.0 * 27 * 16 * (512 + 64 + 512));
}

TEST(BenchCounts, GeneratedTokenReadsActiveWeightsAndItsCache) {
  const ModelConfig config = small_shape();
  EXPECT_EQ(kv_bytes_per_token(config.language, Recipe::bf16), 27U * 576U * 2U);
  EXPECT_LE(4096 * kv_bytes_per_token(config.language, Recipe::int4), 130'000'000U);
  const double first = bytes_per_generated_token(config, Recipe::bf16, 0);
  EXPECT_DOUBLE_EQ(bytes_per_generated_token(config, Recipe::bf16, 100) - first,
                   100.0 * 27 * 576 * 2);
  // Less than 3 of its 16 billion parameters are at work.
  EXPECT_LT(first, 2 * 3e9);
  EXPECT_GT(first, 2 * 2e9);
}

TEST(BenchCounts, QuantizedWeightsTakeTheirBytes) {
  const ModelConfig config = tiny_shape();
  const auto weights = [&](Recipe recipe) {
    return bytes_per_generated_token(config, recipe, 0) -
           static_cast<double>(kv_bytes_per_token(config.language, recipe));
  };
  EXPECT_LT(weights(Recipe::int8), 0.51 * weights(Recipe::bf16));
  EXPECT_LT(weights(Recipe::int4), weights(Recipe::int8));
  EXPECT_GT(weights(Recipe::int4), 0.56 * weights(Recipe::int8));
}

TEST(BenchSamples, MedianIsTheMiddle) {
  std::vector<double> odd = {5, 1, 3};
  std::vector<double> even = {8, 1, 2, 4};
  EXPECT_EQ(median(odd), 3);
  EXPECT_EQ(median(even), 3);
}

// A second of work in two pieces for what the machine reads in half a second.
TEST(BenchSamples, ShareIsTheTimeAtTheLimitOfTheTimeTaken) {
  const ThreadTeam team(1);
  const LimitMeter limits(Isa::portable, Operand::f32, team);
  const SpeedMeter meter(limits, team, {.repeat = 3});
  int calls = 0;
  const Piece piece{1e9, [&] {
                      ++calls;
                      return 0.5;
                    }};
  const Piece pieces[] = {piece, piece};
  const Figures figures = meter.measure(Bound::reading, pieces);
  EXPECT_EQ(calls, 8);
  EXPECT_DOUBLE_EQ(figures.seconds, 1.0);
  EXPECT_DOUBLE_EQ(figures.rate, 2e9);
  EXPECT_NEAR(figures.share, figures.rate / figures.limit, 1e-12);
}

TEST(Bench, TextBeginsWithTheMachine) {
  const Result result = run_on_nano("bench", {"--repeat", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const std::string first = result.output.substr(0, result.output.find('\n'));
  for (const char* word : {"threads", "peak", "read bandwidth"})
    EXPECT_THAT(first, HasSubstr(word));
  for (const char* part : {"\nvision", "\nprompt", "\ndecode", "\nstreams"})
    EXPECT_THAT(result.output, HasSubstr(part));
}

TEST(Bench, JsonHasOnlyThePartsAskedFor) {
  const json report =
      run_on_nano("bench", {"--repeat", "1", "--json", "--only", "decode", "--threads", "1"})
          .json();
  EXPECT_EQ(report["machine"]["threads"], 1);
  EXPECT_FALSE(report.contains("vision"));
  EXPECT_FALSE(report.contains("prompt"));
  const json& decode = report["decode"];
  EXPECT_GT(decode["tokens_per_second"], 0);
  EXPECT_NEAR(
      decode["share_of_bandwidth"].get<double>(),
      decode["bytes_per_second"].get<double>() / decode["read_bytes_per_second"].get<double>(),
      1e-9);
}

TEST(Bench, RefusesWhatDoesNotFitWithTheNumbers) {
  if (estimated_weight_bytes(full_shape(), Recipe::f32) <= memory_there().limit_bytes)
    GTEST_SKIP() << "this machine has room for the largest shape";
  const Result result = run_program({"bench", "--shape", "full", "--weights", "f32"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("GiB"));
}

}  // namespace
}  // namespace vl2
