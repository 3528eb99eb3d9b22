// SPDX-License-Identifier: MIT
#include "engine/model_files.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/changed_checkpoint.h"
#include "engine/memory_limit.h"
#include "engine/memory_need.h"
#include "engine/model_shapes.h"
#include "engine/models.h"
#include "engine/runtime.h"

namespace vl2 {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <class F>
void expect_error(ErrorCode code, const std::string& part, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing thrown for " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(ModelFiles, ATrailingSlashDoesNotTakeTheNameAway) {
  const LoadedModel loaded = load_model(test::golden_checkpoint("mha-softmax") / "", {});
  EXPECT_EQ(loaded.name, "mha-softmax");
  EXPECT_EQ(loaded.model.context(), 4096U);
}

TEST(ModelFiles, AMissingFolderIsNamed) {
  expect_error(ErrorCode::not_found, "/no/such/model",
               [] { load_model("/no/such/model", LoadOptions{}); });
}

TEST(ModelFiles, ProgressRunsToTheEndAndCanStopIt) {
  LoadOptions options;
  std::size_t last = 0;
  std::size_t total = 0;
  options.progress = [&](std::size_t done, std::size_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
    return true;
  };
  load_model(test::golden_checkpoint("mha-softmax"), options);
  EXPECT_GT(total, 1'000'000U);
  EXPECT_GT(last, total / 2);  // tensors that are never used are not read
  EXPECT_LE(last, total);
  options.progress = [](std::size_t, std::size_t) { return false; };
  expect_error(ErrorCode::cancelled, "stopped",
               [&] { load_model(test::golden_checkpoint("mha-softmax"), options); });
}

TEST(ModelFiles, WeightsThatAreNotNumbersAreRefusedByName) {
  const test::ChangedCheckpoint changed("mha-softmax");
  const std::string tensor = "language.model.layers.1.self_attn.o_proj.weight";
  changed.fill_tensor(tensor, 0x7fc0);
  for (const Recipe recipe : kAllRecipes) {
    LoadOptions options;
    options.recipe = recipe;
    expect_error(ErrorCode::bad_checkpoint, tensor, [&] { load_model(changed.folder(), options); });
  }
}

TEST(ModelFiles, ATokenizerWithMoreIdsThanTheModelIsRefused) {
  const test::ChangedCheckpoint changed("mha-softmax");
  changed.replace_in_file("config.json", "\"vocab_size\": 1344", "\"vocab_size\": 1000");
  expect_error(ErrorCode::bad_checkpoint, "vocab_size is 1000",
               [&] { load_model(changed.folder(), LoadOptions{}); });
}

TEST(ModelFiles, WeightsLargerThanTheMachineAreRefusedBeforeTheyAreMade) {
  ModelConfig config = full_shape();
  config.language.num_hidden_layers = 1000;
  expect_error(ErrorCode::out_of_memory, "GiB", [&] { random_model(config, "giant", {}); });
}

TEST(ModelFiles, AContextLargerThanTheMachineIsRefusedBeforeAnythingIsRead) {
  LoadOptions options;
  options.context_tokens = 4'000'000;
  expect_error(ErrorCode::out_of_memory, "4000000 tokens of context",
               [&] { random_model(tiny_shape(), "tiny", options); });
}

TEST(ModelFiles, AContextBeyondReasonIsRefused) {
  LoadOptions options;
  options.context_tokens = std::size_t{1} << 40;
  expect_error(ErrorCode::invalid_argument, "context",
               [&] { load_model(test::golden_checkpoint("mha-softmax"), options); });
}

TEST(ModelFiles, SizesAreThoseOfTheNumbers) {
  const ModelConfig tiny = tiny_shape();
  EXPECT_NEAR(static_cast<double>(estimated_weight_bytes(tiny, Recipe::bf16)), 6.74e9, 0.1e9);
  // All but the embedding grows.
  EXPECT_NEAR(static_cast<double>(estimated_weight_bytes(tiny, Recipe::f32)), 13.1e9, 0.1e9);
  const MemoryThere there = memory_there();
  EXPECT_GT(there.free_bytes, std::size_t{1} << 28);
  EXPECT_GE(there.limit_bytes, std::size_t{1} << 28);
}

TEST(ModelFiles, AnyShapeRunsWithRandomWeightsAndWithoutATokenizer) {
  for (const char* name : test::kGoldenCheckpoints) {
    const ModelConfig config = load_model_config(test::golden_checkpoint(name));
    const LoadedModel random = random_model(config, "random", {});
    EXPECT_FALSE(random.tokenizer.has_value());
    Runtime runtime(random.model, std::nullopt, {});
    Request request;
    request.prompt.ids = {1, 2, 3};
    request.options.max_tokens = 5;
    runtime.add(request);
    std::size_t tokens = 0;
    while (!runtime.idle()) {
      for (const Event& event : runtime.step()) {
        if (const auto* chosen = std::get_if<TokenChosen>(&event.what)) {
          EXPECT_TRUE(chosen->text.empty());
          ++tokens;
        }
        EXPECT_FALSE(std::holds_alternative<RequestFailed>(event.what));
      }
    }
    EXPECT_EQ(tokens, 5U);
  }
}

}  // namespace
}  // namespace vl2
