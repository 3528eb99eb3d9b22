// SPDX-License-Identifier: MIT
#include "checkpoint/checkpoint.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "checkpoint/files.h"

namespace vl2 {
namespace {

using nlohmann::json;

const std::filesystem::path kCheckpoints =
    std::filesystem::path(VL2_TEST_DATA) / "goldens/checkpoints";

std::string index_of(const json& weight_map) { return json{{"weight_map", weight_map}}.dump(); }

TEST(Checkpoint, OpensASingleFile) {
  const Checkpoint checkpoint(kCheckpoints / "mha-softmax");
  EXPECT_EQ(checkpoint.files().size(), 1U);
  EXPECT_EQ(checkpoint.tensor("vision.pos_embed").shape, (std::vector<std::size_t>{1, 729, 54}));
  EXPECT_EQ(checkpoint.tensor("image_newline").dtype, Dtype::bf16);
}

TEST(Checkpoint, OpensShardsByTheirIndex) {
  const Checkpoint checkpoint(kCheckpoints / "mla-softmax");
  EXPECT_EQ(checkpoint.files().size(), 3U);
  EXPECT_EQ(checkpoint.total_bytes(), 2463352U);  // metadata.total_size of the index
  EXPECT_TRUE(std::ranges::is_sorted(checkpoint.tensors(), {}, &TensorView::name));
  for (const TensorView* tensor : checkpoint.tensors())
    EXPECT_EQ(checkpoint.find(tensor->name), tensor);
}

TEST(Checkpoint, OpensTheBundledModel) {
  const Checkpoint checkpoint(std::filesystem::path(VL2_MODELS) / "vl2-nano");
  checkpoint.expect("language.lm_head.weight", {1280, 256});
  EXPECT_GT(checkpoint.total_bytes(), 18'000'000U);
}

TEST(Checkpoint, OpensShardsWithoutAnIndex) {
  const TemporaryFolder folder;
  folder.write("model-1.safetensors", one_tensor("a", "F32", {1}, 4));
  folder.write("model-2.safetensors", one_tensor("b", "F32", {2}, 8));
  folder.write("other.safetensors", "not looked at");
  const Checkpoint checkpoint(folder.path());
  EXPECT_EQ(checkpoint.tensors().size(), 2U);
  EXPECT_EQ(checkpoint.total_bytes(), 12U);
}

TEST(Checkpoint, TheSingleFileWinsOverAnIndex) {
  const TemporaryFolder folder;
  folder.write("model.safetensors", one_tensor("a", "F32", {1}, 4));
  folder.write("model.safetensors.index.json", "{}");
  EXPECT_EQ(Checkpoint(folder.path()).tensors().size(), 1U);
}

TEST(Checkpoint, ViewsSurviveAMove) {
  Checkpoint first(kCheckpoints / "mla-softmax");
  const Checkpoint second(std::move(first));
  EXPECT_EQ(second.tensor("image_newline").count(), 96U);
  EXPECT_EQ(second.tensor("image_newline").file->filename(), "model-00001-of-000003.safetensors");
}

TEST(Checkpoint, MissingFolderAndEmptyFolderAreNamed) {
  expect_error(ErrorCode::not_found, {"/nowhere/at/all"}, [] { Checkpoint("/nowhere/at/all"); });
  const TemporaryFolder folder;
  expect_error(ErrorCode::not_found, {folder.path().string(), "model.safetensors"},
               [&] { Checkpoint checkpoint(folder.path()); });
  expect_error(ErrorCode::not_found, {"a_file"},
               [&] { Checkpoint checkpoint(folder.write("a_file", "x")); });
}

TEST(Checkpoint, MissingAndMisshapenTensorsAreNamed) {
  const Checkpoint checkpoint(kCheckpoints / "mha-softmax");
  EXPECT_EQ(checkpoint.find("language.model.layers.99"), nullptr);
  expect_error(ErrorCode::bad_checkpoint, {"language.model.layers.99", "mha-softmax"},
               [&] { checkpoint.tensor("language.model.layers.99"); });
  expect_error(ErrorCode::bad_checkpoint,
               {"view_seperator", "shape [80]", "asks for [80, 1]", "model.safetensors"},
               [&] { checkpoint.expect("view_seperator", {80, 1}); });
}

TEST(Checkpoint, TensorInTwoShardsIsRefused) {
  const TemporaryFolder folder;
  folder.write("model-1.safetensors", one_tensor("twin", "F32", {1}, 4));
  folder.write("model-2.safetensors", one_tensor("twin", "F32", {1}, 4));
  expect_error(ErrorCode::bad_checkpoint,
               {"\"twin\"", "model-1.safetensors", "model-2.safetensors"},
               [&] { Checkpoint checkpoint(folder.path()); });
}

TEST(Checkpoint, IndexThatNamesAMissingFileIsRefused) {
  const TemporaryFolder folder;
  folder.write("model.safetensors.index.json", index_of({{"a", "model-1.safetensors"}}));
  expect_error(ErrorCode::bad_checkpoint,
               {"index.json", "model-1.safetensors", "not in the folder"},
               [&] { Checkpoint checkpoint(folder.path()); });
}

TEST(Checkpoint, IndexThatPlacesATensorWronglyIsRefused) {
  const TemporaryFolder folder;
  folder.write("model-1.safetensors", one_tensor("b", "F32", {1}, 4));
  folder.write("model.safetensors.index.json",
               index_of({{"a", "model-1.safetensors"}, {"b", "model-1.safetensors"}}));
  expect_error(ErrorCode::bad_checkpoint, {"\"a\"", "model-1.safetensors", "does not hold it"},
               [&] { Checkpoint checkpoint(folder.path()); });
}

TEST(Checkpoint, IndexMayNotLeaveTheFolder) {
  const json names[] = {"../model.safetensors",
                        "/etc/x.safetensors",
                        "sub/model.safetensors",
                        "..\\model.safetensors",
                        "..",
                        "",
                        ".hidden.safetensors",
                        "model.bin",
                        std::string("model\0.safetensors", 18),
                        7,
                        nullptr};
  for (const json& name : names) {
    const TemporaryFolder folder;
    folder.write("model.safetensors.index.json", index_of({{"a", name}}));
    expect_error(ErrorCode::bad_checkpoint, {"weight_map", "\"a\"", "plain name"},
                 [&] { Checkpoint checkpoint(folder.path()); });
  }
}

TEST(Checkpoint, MalformedIndexIsRefused) {
  for (const char* text : {"{", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})"}) {
    const TemporaryFolder folder;
    folder.write("model.safetensors.index.json", text);
    expect_error(ErrorCode::bad_checkpoint, {"model.safetensors.index.json"},
                 [&] { Checkpoint checkpoint(folder.path()); });
  }
}

}  // namespace
}  // namespace vl2
