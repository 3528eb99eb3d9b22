// SPDX-License-Identifier: MIT
#include "image/tiling.h"

#include <gmock/gmock.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

using testing::HasSubstr;

// A picture whose pixel (x, y) is (x, y, 7), so that it tells where it came from.
Image coordinates(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {x, y, 7}) image.rgb.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

TilingOptions small_tiles() {
  return {.image_size = 8, .candidates = {{8, 8}, {16, 8}, {8, 16}, {16, 16}}};
}

TEST(BestResolution, TieGoesToTheEarlierCandidate) {
  const std::vector<Resolution> candidates = {{16, 8}, {8, 16}};
  EXPECT_EQ(best_resolution({10, 10}, candidates), (Resolution{16, 8}));
}

TEST(BestResolution, SmallPictureTakesTheLeastWaste) {
  EXPECT_EQ(best_resolution({2, 2}, small_tiles().candidates), (Resolution{8, 8}));
}

TEST(BestResolution, NoCandidatesAreRefused) { EXPECT_THROW(best_resolution({10, 10}, {}), Error); }

TEST(BestResolution, LargestPicturesDoNotOverflow) {
  constexpr int kLargest = 2147483647;
  EXPECT_EQ(best_resolution({kLargest, kLargest}, small_tiles().candidates), (Resolution{16, 16}));
}

TEST(PlaceIn, HalvesGoToTheEvenSide) {
  EXPECT_EQ(place_in({27, 384}, {384, 384}).left, 178);  // 357 left over
  EXPECT_EQ(place_in({25, 384}, {384, 384}).left, 180);  // 359 left over
}

TEST(PlaceIn, VanishingSideIsRefusedWithTheSize) {
  EXPECT_EQ(place_in({768, 2}, {384, 384}).height, 1);
  try {
    place_in({1200, 1}, {384, 384});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_image);
    EXPECT_THAT(error.what(), HasSubstr("1200 x 1"));
  }
}

TEST(PrepareImage, TilesAreCutRowByRow) {
  const PreparedImage prepared = prepare_image(coordinates(16, 16), small_tiles());
  ASSERT_EQ(prepared.grid, (TileGrid{2, 2}));
  ASSERT_EQ(prepared.tile_count(), 5U);
  std::vector<float> pixels(3 * 8 * 8);
  for (std::size_t tile = 1; tile <= 4; ++tile) {
    write_tile_pixels(prepared, tile, 8, {0, 0, 0}, {1, 1, 1}, pixels);
    const float left = static_cast<float>((tile - 1) % 2 * 8);
    const float top = static_cast<float>((tile - 1) / 2 * 8);
    EXPECT_EQ(pixels[0], left / 255.0F);             // red of the first pixel
    EXPECT_EQ(pixels[64 + 63], (top + 7) / 255.0F);  // green of the last
    EXPECT_EQ(pixels[128], 7 / 255.0F);              // blue
  }
}

TEST(PrepareImage, WithoutTilingTheLocalViewIsTheGlobalOne) {
  TilingOptions options = small_tiles();
  options.tiling = false;
  const PreparedImage prepared = prepare_image(coordinates(16, 4), options);
  EXPECT_EQ(prepared.grid, (TileGrid{1, 1}));
  EXPECT_EQ(prepared.local_view.rgb, prepared.global_view.rgb);
}

TEST(PrepareImage, FillLiesAroundThePicture) {
  TilingOptions options = small_tiles();
  options.tiling = false;
  options.fill = {1, 2, 3};
  const PreparedImage prepared = prepare_image(coordinates(8, 4), options);
  EXPECT_EQ(prepared.global_placement, (Placement{8, 4, 0, 2}));
  const std::vector<std::uint8_t>& rgb = prepared.global_view.rgb;
  EXPECT_THAT(std::vector(rgb.begin(), rgb.begin() + 3), testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(std::vector(rgb.end() - 3, rgb.end()), testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(rgb[2 * 8 * 3 + 2], 7);
}

TEST(PrepareImage, EachChannelHasItsMeanAndDeviation) {
  const PreparedImage prepared = prepare_image({8, 8, std::vector<std::uint8_t>(192, 51)},
                                               {.image_size = 8, .candidates = {{8, 8}}});
  std::vector<float> pixels(192);
  write_tile_pixels(prepared, 0, 8, {0.0F, 0.1F, 0.2F}, {1.0F, 0.5F, 0.25F}, pixels);
  EXPECT_EQ(pixels[0], 0.2F);
  EXPECT_EQ(pixels[64], (0.2F - 0.1F) / 0.5F);
  EXPECT_EQ(pixels[128], 0.0F);
}

TEST(PrepareImage, SenselessOptionsAreRefused) {
  const Image image = coordinates(4, 4);
  for (const TilingOptions& options :
       {TilingOptions{.image_size = 0, .candidates = {{8, 8}}}, TilingOptions{.image_size = 8},
        TilingOptions{.image_size = 8, .candidates = {{8, 12}}},
        TilingOptions{.image_size = 8, .candidates = {{-8, 8}}}}) {
    try {
      prepare_image(image, options);
      FAIL() << options.image_size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    }
  }
}

TEST(ImageTokenCount, CountsNewlinesAndTheSeparator) {
  EXPECT_EQ(image_token_count({1, 1}, 14), 421U);
  EXPECT_EQ(image_token_count({3, 3}, 14), 2017U);
  EXPECT_EQ(image_token_count({2, 1}, 3), 3U * 4 + 1 + 3 * 7);
}

}  // namespace
}  // namespace vl2
