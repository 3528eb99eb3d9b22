// SPDX-License-Identifier: MIT
#include "image/decode.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "vl2/error.h"

#include "image/build_files.h"
#include "image/goldens.h"

namespace vl2 {
namespace {

using build::Bytes;
using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path extra_folder() { return std::filesystem::path(VL2_TEST_DATA) / "images"; }

const nlohmann::json& extra_expected() {
  static const nlohmann::json parsed =
      nlohmann::json::parse(std::ifstream(extra_folder() / "expected.json"));
  return parsed;
}

Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes golden_bytes(const std::string& name) {
  return read_bytes(goldens::folder() / "images" / name);
}

// The message of the refusal, or what went wrong instead of one.
std::string refusal(const Bytes& bytes, const ImageLimits& limits = {}) {
  try {
    const Image image = decode_image(bytes, "the picture", limits);
    return "it was decoded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_image) << error.what();
    return error.what();
  }
}

std::vector<std::string> extra_names() {
  std::vector<std::string> names;
  for (const auto& item : extra_expected().items()) names.push_back(item.key());
  return names;
}

class ExtraImage : public testing::TestWithParam<std::string> {};

TEST_P(ExtraImage, DecodesToPillowsPixels) {
  const nlohmann::json& expected = extra_expected()[GetParam()];
  const Image image = load_image(extra_folder() / GetParam());
  const nlohmann::json size = {image.width, image.height};
  EXPECT_EQ(size, expected.at("size"));
  EXPECT_EQ(sha256_hex(image.rgb), expected.at("sha256"));
}

INSTANTIATE_TEST_SUITE_P(Files, ExtraImage, testing::ValuesIn(extra_names()),
                         [](const auto& test) { return goldens::test_name(test.param); });

// One golden picture of each format.
class EachFormat : public testing::TestWithParam<std::string> {};

TEST_P(EachFormat, EveryTruncationIsRefusedOrComplete) {
  const Bytes whole = golden_bytes(GetParam());
  const Image expected = decode_image(whole, "whole");
  for (std::size_t cut = 0; cut < 60; ++cut) {
    const std::size_t size = whole.size() * cut / 60;
    EXPECT_THROW(decode_image({whole.data(), size}, "cut"), Error) << size << " bytes";
  }
}

TEST_P(EachFormat, PixelLimitIsInclusive) {
  const Bytes bytes = golden_bytes(GetParam());
  const Image image = decode_image(bytes, "fits");
  const std::size_t pixels = image.rgb.size() / 3;
  EXPECT_EQ(decode_image(bytes, "just fits", {pixels}).rgb, image.rgb);
  EXPECT_THAT(refusal(bytes, {pixels - 1}), HasSubstr(std::to_string(pixels - 1) + " allowed"));
}

TEST_P(EachFormat, NothingIsPrinted) {
  Bytes bytes = golden_bytes(GetParam());
  testing::internal::CaptureStderr();
  for (std::size_t at = 20; at < bytes.size(); at += bytes.size() / 40) {
    const std::uint8_t kept = bytes[at];
    bytes[at] ^= 0x55;
    refusal(bytes);
    bytes[at] = kept;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

INSTANTIATE_TEST_SUITE_P(Goldens, EachFormat,
                         testing::Values("odd_420_101x67.jpg", "cmyk_320x240.jpg", "rgb_48x31.png",
                                         "interlaced_231x123.png", "lossless_256x200.webp",
                                         "lossy_500x333.webp", "static_320x200.gif",
                                         "rgb_333x222.bmp"),
                         [](const auto& test) { return goldens::test_name(test.param); });

TEST(DecodeImage, EmptyAndUnknownBytesAreRefused) {
  EXPECT_EQ(refusal({}), "cannot decode the picture: it is empty");
  EXPECT_EQ(refusal({'h', 'i'}),
            "cannot decode the picture: it is not a JPEG, PNG, WebP, GIF or BMP picture");
}

TEST(DecodeImage, SignaturesAloneAreRefused) {
  EXPECT_THAT(refusal({0xff, 0xd8, 0xff}), HasSubstr("the picture"));
  EXPECT_THAT(refusal({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}), HasSubstr("truncated"));
  EXPECT_THAT(refusal({'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'}), HasSubstr("WebP"));
  EXPECT_THAT(refusal({'G', 'I', 'F', '8', '9', 'a'}), HasSubstr("truncated"));
  EXPECT_THAT(refusal({'B', 'M'}), HasSubstr("truncated"));
}

TEST(DecodeImage, ContentDecidesNotTheName) {
  const Image image = decode_image(golden_bytes("rgb_1x1.png"), "photo.jpg");
  EXPECT_EQ(image.width, 1);
}

TEST(LoadImage, MissingFileIsNamed) {
  try {
    load_image("/nowhere/cat.png");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/cat.png"));
  }
}

TEST(DecodeJpeg, DataThatStopShortAreRefusedEvenWithAnEndMarker) {
  Bytes bytes = golden_bytes("odd_420_101x67.jpg");
  bytes.resize(bytes.size() / 2);
  build::append(bytes, {0xff, 0xd9});
  EXPECT_THAT(refusal(bytes), HasSubstr("premature end"));
}

TEST(DecodePng, MissingEndChunkPasses) {
  const Bytes whole = golden_bytes("rgb_48x31.png");
  const Image image = decode_image({whole.data(), whole.size() - 12}, "no IEND");
  EXPECT_EQ(image.rgb, decode_image(whole, "whole").rgb);
}

}  // namespace
}  // namespace vl2
