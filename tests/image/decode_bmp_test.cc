// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "vl2/error.h"
#include "vl2/image.h"

#include "image/build_files.h"

namespace vl2 {
namespace {

using build::Bmp;
using build::Bytes;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr std::uint32_t kRle8 = 1;
constexpr std::uint32_t kRle4 = 2;
constexpr std::uint32_t kBitFields = 3;

const std::vector<build::Colour> kThreeColours = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};

Bytes rgb_of(const Bmp& bmp) { return decode_image(build::bmp_file(bmp), "test.bmp").rgb; }

std::string refusal(const Bytes& file) {
  try {
    decode_image(file, "test.bmp");
    return "it was decoded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_image);
    return error.what();
  }
}

std::string refusal(const Bmp& bmp) { return refusal(build::bmp_file(bmp)); }

// The red of each pixel: in kThreeColours it tells the index.
Bytes reds_of(const Bmp& bmp) {
  Bytes reds;
  const Bytes rgb = rgb_of(bmp);
  for (std::size_t i = 0; i < rgb.size(); i += 3) reds.push_back(rgb[i]);
  return reds;
}

TEST(DecodeBmp, RowsRunFromTheBottomUnlessTheHeightIsNegative) {
  Bmp bmp{.width = 1, .height = 2, .data = {3, 2, 1, 0, 6, 5, 4, 0}};
  EXPECT_THAT(rgb_of(bmp), ElementsAre(4, 5, 6, 1, 2, 3));
  bmp.height = -2;
  EXPECT_THAT(rgb_of(bmp), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(DecodeBmp, LastRowNeedsNoPadding) {
  EXPECT_THAT(rgb_of({.width = 1, .height = 1, .data = {3, 2, 1}}), ElementsAre(1, 2, 3));
}

TEST(DecodeBmp, PaletteOfEveryDepth) {
  EXPECT_THAT(reds_of({.width = 3, .bits = 1, .palette = kThreeColours, .data = {0b01000000}}),
              ElementsAre(1, 4, 1));
  EXPECT_THAT(reds_of({.width = 3, .bits = 4, .palette = kThreeColours, .data = {0x01, 0x20}}),
              ElementsAre(1, 4, 7));
  EXPECT_THAT(reds_of({.width = 3, .bits = 8, .palette = kThreeColours, .data = {2, 1, 0}}),
              ElementsAre(7, 4, 1));
}

TEST(DecodeBmp, IndexBeyondThePaletteIsGreyAsInPillow) {
  EXPECT_THAT(rgb_of({.width = 2, .bits = 8, .palette = kThreeColours, .data = {1, 200}}),
              ElementsAre(4, 5, 6, 200, 200, 200));
}

TEST(DecodeBmp, FiveBitsAreScaledInProportion) {
  EXPECT_THAT(rgb_of({.width = 2, .bits = 16, .data = {0xff, 0x7f, 0x34, 0x12}}),
              ElementsAre(255, 255, 255, 32, 139, 164));
}

TEST(DecodeBmp, BitFields) {
  EXPECT_THAT(rgb_of({.width = 2,
                      .bits = 16,
                      .compression = kBitFields,
                      .masks = {0xf800, 0x7e0, 0x1f},
                      .data = {0xff, 0x7f, 0x34, 0x12}}),
              ElementsAre(123, 255, 255, 16, 68, 164));
  EXPECT_THAT(rgb_of({.width = 1,
                      .bits = 32,
                      .compression = kBitFields,
                      .masks = {0xff, 0xff00, 0xff0000},
                      .data = {1, 2, 3, 4}}),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(refusal(Bmp{.width = 1,
                          .bits = 32,
                          .compression = kBitFields,
                          .masks = {0x5, 0xff00, 0xff0000},
                          .data = {1, 2, 3, 4}}),
              HasSubstr("hole"));
}

TEST(DecodeBmp, ThirtyTwoBitsDropTheFourthByte) {
  EXPECT_THAT(rgb_of({.width = 1, .bits = 32, .data = {3, 2, 1, 99}}), ElementsAre(1, 2, 3));
}

TEST(DecodeBmp, Os2HeaderHasSmallFieldsAndColoursOfThreeBytes) {
  Bytes file = {'B', 'M', 0, 0, 0, 0, 0,         0, 0, 0, 32, 0, 0, 0,  // pixels at 32
                12,  0,   0, 0, 2, 0, 1,         0, 1, 0, 1,  0,        // 2 x 1, one plane, 1 bit
                3,   2,   1, 6, 5, 4, 0b01000000};
  EXPECT_THAT(decode_image(file, "os2.bmp").rgb, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(DecodeBmp, RunLengthRunsLiteralsAndRows) {
  EXPECT_THAT(reds_of({.width = 4,
                       .height = 2,
                       .bits = 8,
                       .compression = kRle8,
                       .palette = kThreeColours,
                       .data = {4, 1, 0, 0, 0, 3, 2, 1, 0, 0, 1, 2, 0, 1}}),
              ElementsAre(7, 4, 1, 7, 4, 4, 4, 4));
  EXPECT_THAT(reds_of({.width = 5,
                       .height = -2,
                       .bits = 4,
                       .compression = kRle4,
                       .palette = kThreeColours,
                       .data = {5, 0x12, 0, 0, 0, 5, 0x01, 0x22, 0x10, 0, 0, 1}}),
              ElementsAre(4, 7, 4, 7, 4, 1, 4, 7, 7, 4));
}

TEST(DecodeBmp, RunLengthMovesAndGapsShowTheFirstColour) {
  EXPECT_THAT(reds_of({.width = 3,
                       .height = -3,
                       .bits = 8,
                       .compression = kRle8,
                       .palette = kThreeColours,
                       .data = {1, 1, 0, 2, 1, 1, 1, 2, 0, 1}}),
              ElementsAre(4, 1, 1, 1, 1, 7, 1, 1, 1));
}

TEST(DecodeBmp, RunBeyondTheRowIsDropped) {
  EXPECT_THAT(reds_of({.width = 2,
                       .height = -2,
                       .bits = 8,
                       .compression = kRle8,
                       .palette = kThreeColours,
                       .data = {9, 1, 0, 0, 2, 2}}),
              ElementsAre(4, 4, 7, 7));
}

TEST(DecodeBmp, HostileRunLengthDataStayInside) {
  EXPECT_THAT(reds_of({.width = 2,
                       .height = -2,
                       .bits = 8,
                       .compression = kRle8,
                       .palette = kThreeColours,
                       .data = {0, 2, 255, 255, 9, 1, 0, 1}}),
              ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(refusal(Bmp{.width = 2,
                          .height = 2,
                          .bits = 8,
                          .compression = kRle8,
                          .palette = kThreeColours,
                          .data = {0, 200, 1}}),
              HasSubstr("truncated"));
}

TEST(DecodeBmp, SizesAndKindsOutOfRangeAreRefused) {
  EXPECT_THAT(refusal(Bmp{.width = 0, .height = 5}), HasSubstr("no pixels"));
  EXPECT_THAT(refusal(Bmp{.width = -1, .height = 1}), HasSubstr("allowed"));
  EXPECT_THAT(refusal(Bmp{.height = INT32_MIN}), HasSubstr("allowed"));
  EXPECT_THAT(refusal(Bmp{.bits = 7}), HasSubstr("7 bits"));
  EXPECT_THAT(refusal(Bmp{.bits = 24, .compression = kRle8}), HasSubstr("compression 1"));
  EXPECT_THAT(refusal(Bmp{.bits = 24, .compression = 4}), HasSubstr("compression 4"));
  EXPECT_THAT(refusal(Bmp{.width = 2, .height = 1, .data = {1, 2, 3}}), HasSubstr("truncated"));
}

}  // namespace
}  // namespace vl2
