// SPDX-License-Identifier: MIT
// Packed folders: made from golden checkpoints, interrupted, damaged, mixed up, and loaded.
#include "engine/quantize_model.h"

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "checkpoint/packed_folder.h"
#include "engine/changed_checkpoint.h"
#include "engine/memory_need.h"
#include "engine/models.h"
#include "engine/runtime.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t kSmallShard = 100'000;

template <class F>
void expect_error(ErrorCode code, const std::vector<std::string>& parts, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing thrown for " << parts.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<std::string, std::string> all_files(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = bytes_of(entry.path());
  return files;
}

class QuantizeModel : public ::testing::Test {
 protected:
  QuantizeModel() {
    std::string name = (fs::temp_directory_path() / "vl2-quantize-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~QuantizeModel() override { fs::remove_all(folder_); }

  static fs::path source() { return test::golden_checkpoint("mla-general"); }
  fs::path out(const std::string& name = "out") const { return folder_ / name; }

  static QuantizeOptions small_shards(Recipe recipe = Recipe::int4) {
    QuantizeOptions options;
    options.recipe = recipe;
    options.team = ThreadTeam(1);
    options.shard_bytes = kSmallShard;
    return options;
  }
  fs::path made(const std::string& name = "out", Recipe recipe = Recipe::int4) const {
    quantize_model(source(), out(name), small_shards(recipe));
    return out(name);
  }
  static std::vector<fs::path> shards_of(const fs::path& folder) {
    std::vector<fs::path> shards;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".safetensors") shards.push_back(entry.path());
    std::ranges::sort(shards);
    return shards;
  }
  static void flip(const fs::path& file, std::streamoff at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const int byte = stream.get();
    stream.seekp(at);
    stream.put(static_cast<char>(byte ^ 0x10));
  }
  static void verify(const fs::path& folder) {
    PackedFolder(folder, read_packed_description(folder).value()).verify({});
  }

  fs::path folder_;
};

// All logits of a short prompt.
std::vector<float> logits_of(const LoadedModel& model) {
  std::vector<float> all;
  RuntimeOptions options;
  options.isa = cpu_isas().back();
  options.team = ThreadTeam(1);
  options.logits_observer = [&](RequestId, std::size_t, std::span<const float> logits) {
    all.insert(all.end(), logits.begin(), logits.end());
  };
  Runtime runtime(model.model, model.tokenizer, options);
  Request request;
  request.prompt.ids = {1, 5, 9, 200, 33, 2, 7};
  request.options.max_tokens = 3;
  runtime.add(request);
  while (!runtime.idle()) runtime.step();
  return all;
}

TEST_F(QuantizeModel, APackedModelGivesTheBitsOfOneThatWasPackedWhileLoading) {
  for (const char* name : test::kGoldenCheckpoints) {
    for (const Recipe recipe : kAllRecipes) {
      const fs::path in = test::golden_checkpoint(name);
      const fs::path packed = out(std::string(name) + "-" + std::string(to_string(recipe)));
      quantize_model(in, packed, small_shards(recipe));
      LoadOptions options;
      options.context_tokens = 64;
      const LoadedModel loaded = load_model(packed, options);
      EXPECT_EQ(loaded.model.recipe(), recipe);
      options.recipe = recipe;
      const LoadedModel expected = load_model(in, options);
      EXPECT_EQ(loaded.model.weight_bytes(), expected.model.weight_bytes());
      EXPECT_EQ(loaded.model.weight_bytes(), estimated_weight_bytes(loaded.config(), recipe));
      EXPECT_EQ(logits_of(loaded), logits_of(expected)) << packed;
      verify(packed);
    }
  }
}

TEST_F(QuantizeModel, TheFolderHasWhatAModelFolderNeeds) {
  const QuantizeReport report = quantize_model(source(), out(), small_shards());
  EXPECT_GT(report.shards, 2U);
  EXPECT_EQ(report.shards_before, 0U);
  for (const char* file :
       {"config.json", "tokenizer.json", "processor_config.json", "model.safetensors.index.json"})
    EXPECT_TRUE(fs::exists(out() / file)) << file;
  EXPECT_FALSE(fs::exists(out("out.partial")));
}

TEST_F(QuantizeModel, ASingleShardNeedsNoIndex) {
  QuantizeOptions options;
  options.recipe = Recipe::int8;
  EXPECT_EQ(quantize_model(source(), out(), options).shards, 1U);
  EXPECT_FALSE(fs::exists(out() / "model.safetensors.index.json"));
  EXPECT_EQ(load_model(out(), {}).model.recipe(), Recipe::int8);
}

TEST_F(QuantizeModel, AStoppedRunLeavesNothingThatLoadsAndGoesOnToTheSameBytes) {
  const fs::path expected = made("expected");
  QuantizeOptions options = small_shards();
  options.team = ThreadTeam(2);
  options.progress = [](std::size_t done, std::size_t total) { return done < total / 2; };
  expect_error(ErrorCode::cancelled, {"goes on"},
               [&] { quantize_model(source(), out(), options); });
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_ANY_THROW(load_model(out("out.partial"), {}));
  options.progress = {};
  EXPECT_GT(quantize_model(source(), out(), options).shards_before, 0U);
  EXPECT_EQ(all_files(out()), all_files(expected));
}

TEST_F(QuantizeModel, AKilledRunLeavesNothingThatLoadsAndGoesOnToTheSameBytes) {
  const fs::path expected = made("expected");
  EXPECT_EXIT(
      {
        QuantizeOptions options = small_shards();
        options.progress = [](std::size_t done, std::size_t total) {
          if (done > total / 2) raise(SIGKILL);
          return true;
        };
        quantize_model(source(), out(), options);
      },
      ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_ANY_THROW(load_model(out("out.partial"), {}));
  EXPECT_GT(quantize_model(source(), out(), small_shards()).shards_before, 0U);
  EXPECT_EQ(all_files(out()), all_files(expected));
}

TEST_F(QuantizeModel, ADamagedShardOfAnEarlierRunIsWrittenAgain) {
  const fs::path expected = made("expected");
  QuantizeOptions options = small_shards();
  options.progress = [](std::size_t done, std::size_t total) { return done < total / 2; };
  EXPECT_ANY_THROW(quantize_model(source(), out(), options));
  fs::resize_file(shards_of(out("out.partial")).front(), 1000);
  quantize_model(source(), out(), small_shards());
  EXPECT_EQ(all_files(out()), all_files(expected));
}

TEST_F(QuantizeModel, AFullDiskIsOneErrorAndTheRunGoesOnAfterwards) {
  EXPECT_EXIT(
      {
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 50'000;
        setrlimit(RLIMIT_FSIZE, &limit);
        try {
          quantize_model(source(), out(), small_shards());
        } catch (const Error& error) {
          std::fputs(error.what(), stderr);
          _exit(error.code() == ErrorCode::io ? 3 : 4);
        }
        _exit(0);
      },
      ::testing::ExitedWithCode(3), "cannot write .*safetensors: File too large");
  EXPECT_FALSE(fs::exists(out()));
  quantize_model(source(), out(), small_shards());
  verify(out());
}

TEST_F(QuantizeModel, WhatExistsIsNotOverwritten) {
  fs::create_directory(out());
  expect_error(ErrorCode::invalid_argument, {out().string(), "exists"},
               [&] { quantize_model(source(), out(), small_shards()); });
}

TEST_F(QuantizeModel, APackedModelIsNotPackedAgain) {
  const fs::path first = made();
  expect_error(ErrorCode::invalid_argument, {first.string(), "packed already, as int4"},
               [&] { quantize_model(first, out("second"), small_shards()); });
}

TEST_F(QuantizeModel, AnotherRunsPartialFolderIsLeftAlone) {
  QuantizeOptions options = small_shards();
  options.progress = [](std::size_t done, std::size_t total) { return done < total / 2; };
  EXPECT_ANY_THROW(quantize_model(source(), out(), options));
  expect_error(ErrorCode::invalid_argument, {"out.partial", "another model, recipe"},
               [&] { quantize_model(source(), out(), small_shards(Recipe::int8)); });
  fs::create_directory(out("b.partial"));
  std::ofstream(out("b.partial") / "diary.txt") << "dear";
  expect_error(ErrorCode::invalid_argument, {"b.partial", "not from vl2 quantize"},
               [&] { quantize_model(source(), out("b"), small_shards()); });
}

TEST_F(QuantizeModel, OtherWeightsThanThePackedOnesAreRefused) {
  LoadOptions options;
  options.recipe = Recipe::bf16;
  const fs::path packed = made();
  expect_error(ErrorCode::invalid_argument, {"packed as int4", "bf16"},
               [&] { load_model(packed, options); });
}

TEST_F(QuantizeModel, AnotherVersionOrMethodIsRefused) {
  const fs::path config = made() / "config.json";
  const std::string text = bytes_of(config);
  const auto replace = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    std::ofstream(config) << changed;
  };
  replace("\"version\": 2", "\"version\": 7");
  expect_error(ErrorCode::unsupported, {"config.json", "version 7", "reads version 2"},
               [&] { load_model(out(), {}); });
  replace("\"quant_method\": \"vl2\"", "\"quant_method\": \"fp8\"");
  expect_error(ErrorCode::unsupported, {"config.json", "quantization_config"},
               [&] { load_model(out(), {}); });
  replace("\"recipe\": \"int4\"", "\"recipe\": \"int5\"");
  expect_error(ErrorCode::bad_checkpoint, {"config.json", "\"int5\""},
               [&] { load_model(out(), {}); });
  replace("\"shards\": [", "\"shardz\": [");
  expect_error(ErrorCode::bad_checkpoint, {"config.json", "\"shards\""},
               [&] { load_model(out(), {}); });
}

TEST_F(QuantizeModel, ATruncatedOrMissingShardIsNamed) {
  const fs::path shard = shards_of(made())[1];
  fs::resize_file(shard, fs::file_size(shard) - 1);
  expect_error(ErrorCode::bad_checkpoint, {shard.filename().string(), "bytes, config.json says"},
               [&] { load_model(out(), {}); });
  fs::remove(shard);
  expect_error(ErrorCode::bad_checkpoint, {shard.filename().string(), "missing"},
               [&] { load_model(out(), {}); });
}

TEST_F(QuantizeModel, AFlippedByteOfAHeaderIsNoticedWhenLoading) {
  const fs::path shard = shards_of(made()).front();
  const std::string text = bytes_of(shard);
  flip(shard, static_cast<std::streamoff>(text.find("crc32 ")) + 8);
  expect_error(ErrorCode::bad_checkpoint, {shard.filename().string(), "damaged header"},
               [&] { load_model(out(), {}); });
}

TEST_F(QuantizeModel, AFlippedByteOfATensorIsNoticedWhenVerifying) {
  const fs::path shard = shards_of(made()).front();
  flip(shard, static_cast<std::streamoff>(fs::file_size(shard)) - 100);
  EXPECT_NO_THROW(load_model(out(), {}));
  expect_error(ErrorCode::bad_checkpoint, {shard.filename().string(), "tensor", "damaged"},
               [&] { verify(out()); });
}

TEST_F(QuantizeModel, AChangedTokenizerIsNoticedWhenVerifying) {
  std::ofstream(made() / "tokenizer_config.json", std::ios::app) << "\n";
  expect_error(ErrorCode::bad_checkpoint, {"tokenizer_config.json"}, [&] { verify(out()); });
}

TEST_F(QuantizeModel, ShardsOfTwoFoldersDoNotMix) {
  // The same shapes with other numbers: nothing but the identity tells the shards apart.
  const test::ChangedCheckpoint changed("mla-general");
  changed.fill_tensor("language.model.norm.weight", 0x3f80);
  quantize_model(changed.folder(), out("other"), small_shards());
  const fs::path shard = shards_of(made())[1];
  fs::copy_file(out("other") / shard.filename(), shard, fs::copy_options::overwrite_existing);
  expect_error(ErrorCode::bad_checkpoint, {shard.filename().string(), "another packed folder"},
               [&] { load_model(out(), {}); });
}

TEST_F(QuantizeModel, NotEnoughMemoryIsSaidBeforeAnythingIsRead) {
  std::string config = bytes_of(made() / "config.json");
  for (const auto& [key, value] : {std::pair{"\"num_hidden_layers\": ", "1000"},
                                   std::pair{"\"moe_intermediate_size\": ", "1000000"}}) {
    const std::size_t at = config.find(key) + std::string(key).size();
    config.replace(at, config.find_first_of(",\n", at) - at, value);
  }
  std::ofstream(out() / "config.json") << config;
  fs::remove(shards_of(out()).front());
  expect_error(ErrorCode::out_of_memory, {"GiB as int4", "of memory are free"},
               [&] { load_model(out(), {}); });
}

}  // namespace
}  // namespace vl2
