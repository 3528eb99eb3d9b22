// SPDX-License-Identifier: MIT
// Every golden picture through decoding and tiling, against what the original did with it.
#include <bit>
#include <cstring>

#include <gmock/gmock.h>

#include "vl2/error.h"

#include "image/goldens.h"

namespace vl2 {
namespace {

using goldens::describe;
using goldens::without_mean;

// The tiles' values are stored little-endian in the goldens.
static_assert(std::endian::native == std::endian::little);

std::vector<std::string> tile_digests(const PreparedImage& prepared, int image_size) {
  const auto side = static_cast<std::size_t>(image_size);
  std::vector<float> pixels(3 * side * side);
  std::vector<std::uint8_t> bytes(pixels.size() * sizeof(float));
  std::vector<std::string> digests;
  for (std::size_t tile = 0; tile < prepared.tile_count(); ++tile) {
    write_tile_pixels(prepared, tile, image_size, {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}, pixels);
    std::memcpy(bytes.data(), pixels.data(), bytes.size());
    digests.push_back(sha256_hex(bytes));
  }
  return digests;
}

void expect_prepared(const Image& image, const TilingOptions& options,
                     const nlohmann::json& expected) {
  const PreparedImage prepared = prepare_image(image, options);
  const nlohmann::json resolution = {prepared.resolution.width, prepared.resolution.height};
  const nlohmann::json grid = {prepared.grid.across, prepared.grid.down};
  EXPECT_EQ(resolution, expected.at("best_resolution"));
  EXPECT_EQ(grid, expected.at("spatial_crop"));
  EXPECT_EQ(image_token_count(prepared.grid, 14), expected.at("num_image_tokens"));
  EXPECT_EQ(prepared.tile_count(), expected.at("num_tiles_with_global"));
  EXPECT_EQ(describe(prepared.global_placement), expected.at("global_geometry"));
  EXPECT_EQ(describe(prepared.local_placement), expected.at("local_geometry"));
  EXPECT_EQ(describe(prepared.global_view), without_mean(expected.at("global_view")));
  EXPECT_EQ(describe(prepared.local_view), without_mean(expected.at("local_view")));
  EXPECT_EQ(tile_digests(prepared, options.image_size), expected.at("tiles_float32_sha256"));
}

class GoldenImage : public testing::TestWithParam<std::string> {
 protected:
  const nlohmann::json& expected() const { return goldens::preprocess()["images"][GetParam()]; }
  Image load() const { return load_image(goldens::folder() / "images" / GetParam()); }
};

TEST_P(GoldenImage, DecodesToPillowsPixels) {
  EXPECT_EQ(describe(load()), without_mean(expected().at("rgb")));
}

TEST_P(GoldenImage, IsTiledAsTheOriginal) {
  expect_prepared(load(), goldens::released_tiling(), expected().at("cropping"));
}

TEST_P(GoldenImage, IsOneTileWithoutTiling) {
  TilingOptions options = goldens::released_tiling();
  options.tiling = false;
  expect_prepared(load(), options, expected().at("no_cropping"));
}

INSTANTIATE_TEST_SUITE_P(Goldens, GoldenImage, testing::ValuesIn(goldens::names_in("images")),
                         [](const auto& test) { return goldens::test_name(test.param); });

class BadImage : public testing::TestWithParam<std::string> {};

TEST_P(BadImage, FailsWhereTheOriginalFails) {
  const nlohmann::json& expected = goldens::preprocess()["bad"][GetParam()];
  const auto path = goldens::folder() / "images" / "bad" / GetParam();
  bool decoded = false;
  try {
    const Image image = load_image(path);
    decoded = true;
    if (expected.contains("rgb")) {
      EXPECT_EQ(describe(image), without_mean(expected.at("rgb")));
    }
    prepare_image(image, goldens::released_tiling());
    EXPECT_FALSE(expected.at("fails"));
  } catch (const Error& error) {
    EXPECT_TRUE(expected.at("fails")) << error.what();
    EXPECT_EQ(error.code(), ErrorCode::bad_image);
    EXPECT_EQ(decoded, expected.value("step", "") == "pad and cut") << error.what();
    // Padding does not know the file; it names the size.
    EXPECT_THAT(error.what(), testing::HasSubstr(decoded ? "1200 x 1" : path.string()));
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, BadImage, testing::ValuesIn(goldens::names_in("bad")),
                         [](const auto& test) { return goldens::test_name(test.param); });

// As the goldens write it: geometry, or an error where nothing is left of the picture.
void expect_placement(Resolution picture, Resolution box, const nlohmann::json& expected) {
  if (expected.contains("error")) {
    EXPECT_THROW(place_in(picture, box), Error) << picture.width << " x " << picture.height;
  } else {
    EXPECT_EQ(describe(place_in(picture, box)), expected);
  }
}

TEST(ResolutionTable, EverySizeIsPlacedAsByTheOriginal) {
  const TilingOptions options = goldens::released_tiling();
  const nlohmann::json& table = goldens::preprocess()["resolution_table"];
  ASSERT_EQ(table.size(), 334U);
  for (const auto& row : table) {
    const Resolution picture{row.at("size")[0], row.at("size")[1]};
    const Resolution best = best_resolution(picture, options.candidates);
    const Resolution expected{row.at("best_resolution")[0], row.at("best_resolution")[1]};
    EXPECT_EQ(best, expected) << picture.width << " x " << picture.height;
    expect_placement(picture, {384, 384}, row.at("global_geometry"));
    expect_placement(picture, best, row.at("local_geometry"));
  }
}

}  // namespace
}  // namespace vl2
