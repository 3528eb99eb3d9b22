// SPDX-License-Identifier: MIT
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/program.h"

namespace vl2 {
namespace {

using nlohmann::json;

const std::string kModel = kCheckpoints / "mha-softmax";

json golden_images() {
  std::ifstream file(kGoldens / "preprocess.json");
  return json::parse(file)["images"];
}

void expect_equal(const json& image, const json& golden) {
  EXPECT_EQ(image["resolution"], golden["best_resolution"]);
  EXPECT_EQ(image["tiles"], golden["spatial_crop"]);
  EXPECT_EQ(image["tokens"], golden["num_image_tokens"]);
  EXPECT_EQ(image["tile_count"], golden["num_tiles_with_global"]);
  EXPECT_EQ(image["global_sha256"], golden["global_view"]["sha256"]);
  EXPECT_EQ(image["local_sha256"], golden["local_view"]["sha256"]);
}

TEST(Preprocess, OnePictureIsTiledAsInTheOriginal) {
  const json golden = golden_images();
  for (const char* name : {"rgb_48x31.png", "wide_1536x400.png", "rgba_512x300.png"}) {
    const Result result =
        run_program({"preprocess", "-m", kModel, "--json", "-i", kGoldens / "images" / name});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(result.json()["tiling"], true);
    ASSERT_EQ(result.json()["images"].size(), 1U);
    expect_equal(result.json()["images"][0], golden[name]["cropping"]);
  }
}

TEST(Preprocess, ThreePicturesAreNotTiled) {
  const json golden = golden_images();
  std::vector<std::string> arguments = {"preprocess", "-m", kModel, "--json"};
  const std::string name = "wide_1536x400.png";
  for (int i = 0; i < 3; ++i) {
    arguments.push_back("-i");
    arguments.push_back(kGoldens / "images" / name);
  }
  const json report = run_program(arguments).json();
  EXPECT_EQ(report["tiling"], false);
  ASSERT_EQ(report["images"].size(), 3U);
  for (const json& image : report["images"]) expect_equal(image, golden[name]["no_cropping"]);
  EXPECT_EQ(report["tokens"], 3 * golden[name]["no_cropping"]["num_image_tokens"].get<int>());
}

TEST(Preprocess, TakesTheConversationsPictures) {
  const TemporaryFolder folder;
  const json conversation = {{{"role", "user"}, {"content", "<image>"}, {"images", {"x.png"}}},
                             {{"role", "assistant"}, {"content", ""}}};
  write_file(folder / "c.json", conversation.dump());
  std::filesystem::copy(kGoldens / "images" / "rgb_48x31.png", folder / "x.png");
  const json report =
      run_program({"preprocess", "-m", kModel, "--json", "--conversation", folder / "c.json"})
          .json();
  ASSERT_EQ(report["images"].size(), 1U);
  expect_equal(report["images"][0], golden_images()["rgb_48x31.png"]["cropping"]);
}

TEST(Preprocess, TextNamesTheTokens) {
  const Result result =
      run_program({"preprocess", "-m", kModel, "-i", kGoldens / "images" / "rgb_48x31.png"});
  EXPECT_THAT(result.output, ::testing::HasSubstr("421 tokens"));
}

TEST(Preprocess, TooThinPictureIsAnError) {
  const Result result = run_program(
      {"preprocess", "-m", kModel, "-i", kGoldens / "images" / "bad" / "strip_1200x1.png"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
}

}  // namespace
}  // namespace vl2
