// SPDX-License-Identifier: MIT
#include "image/resample.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/sha256.h"

namespace vl2 {
namespace {

Image random_image(int width, int height, bool only_extremes = false) {
  Image image{width, height, {}};
  const auto bytes = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) * 3;
  for (std::uint64_t i = 0; i < bytes; ++i) {
    const std::uint64_t bits = random_bits(7, i);
    image.rgb.push_back(static_cast<std::uint8_t>(only_extremes ? (bits & 1) * 255 : bits));
  }
  return image;
}

TEST(ResizeBicubic, SameSizeChangesNothing) {
  const Image image = random_image(17, 5);
  EXPECT_EQ(resize_bicubic(image, 17, 5).rgb, image.rgb);
}

TEST(ResizeBicubic, FlatColourStaysFlat) {
  Image image{50, 30, {}};
  for (int i = 0; i < 50 * 30; ++i) image.rgb.insert(image.rgb.end(), {3, 127, 255});
  for (const auto& [width, height] : {std::pair{7, 90}, {200, 1}, {1, 1}, {49, 31}}) {
    const Image resized = resize_bicubic(image, width, height);
    ASSERT_EQ(resized.rgb.size(), static_cast<std::size_t>(width * height) * 3);
    for (std::size_t i = 0; i < resized.rgb.size(); i += 3) {
      EXPECT_EQ(resized.rgb[i], 3);
      EXPECT_EQ(resized.rgb[i + 1], 127);
      EXPECT_EQ(resized.rgb[i + 2], 255);
    }
  }
}

TEST(ResizeBicubic, OnePixelFillsEverything) {
  const Image resized = resize_bicubic({1, 1, {9, 8, 7}}, 30, 20);
  EXPECT_EQ(resized.rgb.front(), 9);
  EXPECT_EQ(resized.rgb.back(), 7);
}

struct PillowCase {
  int from_width, from_height, to_width, to_height;
  bool only_extremes;
  const char* sha256;
};

class ResizeBicubicAsPillow : public testing::TestWithParam<PillowCase> {};

TEST_P(ResizeBicubicAsPillow, GivesTheSameBytes) {
  const auto& [from_width, from_height, to_width, to_height, extremes, expected] = GetParam();
  const Image image = random_image(from_width, from_height, extremes);
  EXPECT_EQ(sha256_hex(resize_bicubic(image, to_width, to_height).rgb), expected);
}

// The digests are those of Pillow 9.4.0. Pixels that are all 0 or 255 overshoot and are clamped;
// the long strips have more taps than 16-bit partial sums would bear.
INSTANTIATE_TEST_SUITE_P(
    Sizes, ResizeBicubicAsPillow,
    testing::Values(PillowCase{37, 23, 384, 239, false,
                               "df7d59bfe3e39dcea9c2ffd75d120c9a140ef9eb9e1060bf2ea362f602efa295"},
                    PillowCase{200, 150, 31, 77, false,
                               "b465f3bd4049f5b6c4db9e69b15da4c5c0e0ab8d9f0785b383d51eb149c0e8f6"},
                    PillowCase{64, 64, 64, 20, true,
                               "045e5d3a3b8193406dcd7ce4425ca324037b844ea2feb17ba97e3ef9eb98d73b"},
                    PillowCase{64, 64, 20, 64, true,
                               "293abe49ff6d4e7a6330da96618d18c865837dc730c3f2c8a4597ee9bb49c934"},
                    PillowCase{300, 2, 7, 90, true,
                               "281f5e48b3ba7e6698415173d65f6ed283252cc225ef15048a85d26dc8eb7f66"},
                    PillowCase{3, 301, 90, 7, true,
                               "f732e9593d6e27b7ce8cf87d78a2e8611c4bf88845f554221406b46ca431b1f7"},
                    PillowCase{100, 80, 101, 79, true,
                               "90b99ef48c93e2ea36944c156e62dc95da2139614dfd473845b993aa1f412451"},
                    PillowCase{70000, 1, 5, 1, true,
                               "3f8ec90f12de91d4e3670cbfb7c9eccda034e02aa18bde1ff3534528f9df3845"},
                    PillowCase{
                        1, 70000, 1, 5, true,
                        "3f8ec90f12de91d4e3670cbfb7c9eccda034e02aa18bde1ff3534528f9df3845"}));

}  // namespace
}  // namespace vl2
