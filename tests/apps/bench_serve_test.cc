// SPDX-License-Identifier: MIT
// vl2 bench --serve: the engine with many streams.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/program.h"
#include "base/parallel.h"
#include "bench_counts.h"
#include "bench_streams.h"
#include "checkpoint/recipe.h"
#include "engine/memory_need.h"
#include "engine/model_files.h"
#include "engine/model_shapes.h"

namespace vl2 {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Six of 64 experts: what two tokens choose is one token's and of the rest the same share.
TEST(BenchCounts, StepReadsWeightsOnceAndEveryCache) {
  const ModelConfig config = tiny_shape();
  const auto bytes = [&](std::size_t streams, std::size_t position) {
    return bytes_per_step(config, Recipe::bf16, {streams, position});
  };
  const auto cache = static_cast<double>(kv_bytes_per_token(config.language, Recipe::bf16));
  EXPECT_DOUBLE_EQ(bytes(1, 100), bytes_per_generated_token(config, Recipe::bf16, 100));
  EXPECT_NEAR(bytes(8, 101) - bytes(8, 100), 8 * cache, 1);
  const double one = bytes(1, 0) - cache;
  const double two = bytes(2, 0) - 2 * cache;
  const double three = bytes(3, 0) - 3 * cache;
  EXPECT_NEAR((three - two) / (two - one), 1 - 6.0 / 64, 1e-6);
  EXPECT_LT(bytes(1000, 0) - 1000 * cache, 2 * 3.5e9);
}

TEST(StreamBench, EveryStreamGetsATokenInEveryStep) {
  const ThreadTeam team(1);
  const LoadedModel loaded = load_model(kNano, {.team = team});
  StreamBench bench(loaded, team, {.context_tokens = 40, .chunk_tokens = 32, .most_streams = 3});
  EXPECT_THAT(bench.start(3), SizeIs(3));
  EXPECT_THAT(bench.generate(5), SizeIs(5));
  // One row of each step is the stream's that is generating already.
  bench.stop();
  EXPECT_THAT(bench.start(1), SizeIs(1));
  EXPECT_THAT(bench.read_beside(100), SizeIs(std::ceil(100.0 / 31)));
}

TEST(BenchServe, TellsStreamsAndLatencies) {
  const Result result = run_on_nano("bench", {"--serve", "--repeat", "1", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const json output = result.json();
  ASSERT_THAT(output["streams"], SizeIs(4));
  std::vector<int> counts;
  for (const json& one : output["streams"]) {
    counts.push_back(one["streams"]);
    for (const char* field : {"first_token_seconds", "tokens_per_second", "share_of_limit"})
      EXPECT_GT(one[field].get<double>(), 0) << field;
    EXPECT_LE(one["first_token_seconds"], one["last_first_token_seconds"]);
  }
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 4, 8, 16));
  EXPECT_EQ(output["streams"][0]["times_one_stream"], 1.0);
  ASSERT_THAT(output["prompt_beside"], SizeIs(2));
  for (const json& one : output["prompt_beside"])
    EXPECT_LE(one["median_seconds"], one["longest_seconds"]);
}

TEST(BenchServe, TooManyRepeatsAreWrongUsage) {
  const Result result = run_on_nano("bench", {"--serve", "--repeat", "101"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--repeat 100"));
}

}  // namespace
}  // namespace vl2
