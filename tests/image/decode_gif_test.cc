// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "vl2/error.h"
#include "vl2/image.h"

#include "image/build_files.h"

namespace vl2 {
namespace {

using build::Bytes;
using build::Gif;
using testing::ElementsAre;
using testing::HasSubstr;

// The red of a colour tells its index: 10, 11, 12, 13.
const std::vector<build::Colour> kFourColours = {{10, 0, 1}, {11, 0, 2}, {12, 0, 3}, {13, 0, 4}};

Bytes reds_of(const Gif& gif) {
  Bytes reds;
  const Image image = decode_image(build::gif_file(gif), "test.gif");
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) reds.push_back(image.rgb[i]);
  return reds;
}

std::string refusal(const Gif& gif) {
  try {
    decode_image(build::gif_file(gif), "test.gif");
    return "it was decoded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_image);
    return error.what();
  }
}

TEST(DecodeGif, AroundTheFrameLiesColourZeroNotTheBackground) {
  EXPECT_THAT(reds_of({.screen_width = 3,
                       .screen_height = 2,
                       .palette = kFourColours,
                       .frame = {1, 1, 2, 1},
                       .codes = build::gif_codes({1, 2})}),
              ElementsAre(10, 10, 10, 10, 11, 12));
}

TEST(DecodeGif, AroundTheFrameLiesTheTransparentColour) {
  EXPECT_THAT(reds_of({.screen_width = 3,
                       .screen_height = 1,
                       .palette = kFourColours,
                       .transparent = 2,
                       .frame = {1, 0, 2, 1},
                       .codes = build::gif_codes({1, 2})}),
              ElementsAre(12, 11, 12));
}

TEST(DecodeGif, FrameBeyondTheScreenEnlargesIt) {
  const Gif gif{.screen_width = 2,
                .screen_height = 1,
                .palette = kFourColours,
                .frame = {1, 1, 2, 1},
                .codes = build::gif_codes({1, 2})};
  const Image image = decode_image(build::gif_file(gif), "test.gif");
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 2);
}

TEST(DecodeGif, ItsOwnPaletteComesFirst) {
  Gif gif{.screen_width = 2,
          .palette = kFourColours,
          .own_palette = {{90, 0, 0}, {91, 0, 0}},
          .frame = {0, 0, 2, 1},
          .codes = build::gif_codes({0, 1})};
  EXPECT_THAT(reds_of(gif), ElementsAre(90, 91));
  gif.own_palette = {{0, 0, 0}, {1, 1, 1}};  // which Pillow takes for none
  EXPECT_THAT(reds_of(gif), ElementsAre(10, 11));
}

TEST(DecodeGif, WithoutPaletteIndicesAreGrey) {
  EXPECT_THAT(
      reds_of({.screen_width = 2, .frame = {0, 0, 2, 1}, .codes = build::gif_codes({1, 6})}),
      ElementsAre(1, 6));
}

TEST(DecodeGif, IndexBeyondThePaletteIsGreyAsInPillow) {
  EXPECT_THAT(reds_of({.screen_width = 2,
                       .palette = kFourColours,
                       .frame = {0, 0, 2, 1},
                       .codes = build::gif_codes({1, 6})}),
              ElementsAre(11, 6));
}

// With code size 2 the codes are: 4 clear, 5 end, 6 the first of the table, 3 bits each.
TEST(DecodeGif, CodeAboutToBeAddedRepeatsTheFirstPixel) {
  // clear, 1, 6 ("1 1"), of which the second code is not in the table yet
  const unsigned packed = 4U | 1U << 3 | 6U << 6;
  EXPECT_THAT(reds_of({.screen_width = 3,
                       .palette = kFourColours,
                       .frame = {0, 0, 3, 1},
                       .codes = {2, 2, packed & 0xff, packed >> 8, 0}}),
              ElementsAre(11, 11, 11));
}

TEST(DecodeGif, BrokenCodesAreRefused) {
  Gif gif{.screen_width = 3, .palette = kFourColours, .frame = {0, 0, 3, 1}};
  const unsigned beyond = 4U | 1U << 3 | 7U << 6;  // 7 when 6 would be the next
  gif.codes = {2, 2, beyond & 0xff, beyond >> 8, 0};
  EXPECT_THAT(refusal(gif), HasSubstr("broken"));
  const unsigned at_once = 4U | 6U << 3;  // nothing to repeat yet
  gif.codes = {2, 2, at_once, 0, 0};
  EXPECT_THAT(refusal(gif), HasSubstr("broken"));
  gif.codes = {9, 2, 0, 0, 0};
  EXPECT_THAT(refusal(gif), HasSubstr("code size"));
}

TEST(DecodeGif, EarlyEndIsRefused) {
  Gif gif{.screen_width = 3, .palette = kFourColours, .frame = {0, 0, 3, 1}};
  gif.codes = build::gif_codes({1, 2});
  EXPECT_THAT(refusal(gif), HasSubstr("before the last row"));
  gif.codes = {3, 1, 0x18, 0};
  EXPECT_THAT(refusal(gif), HasSubstr("before the last row"));
}

TEST(DecodeGif, FrameWithoutPixelsAndFileWithoutFrameAreRefused) {
  EXPECT_THAT(refusal({.frame = {0, 0, 0, 1}}), HasSubstr("no pixels"));
  const Bytes no_frame = {'G', 'I', 'F', '8', '7', 'a', 1, 0, 1, 0, 0, 0, 0, 0x3b};
  EXPECT_THROW(decode_image(no_frame, "empty.gif"), Error);
}

TEST(DecodeGif, HugeScreenIsRefusedBeforeItIsAllocated) {
  EXPECT_THAT(refusal({.screen_width = 65535, .screen_height = 65535}), HasSubstr("65535 x 65535"));
}

}  // namespace
}  // namespace vl2
