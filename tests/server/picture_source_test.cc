// SPDX-License-Identifier: MIT
#include "server/picture_source.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <unistd.h>

#include "refusal.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

// A BMP of one grey pixel.
constexpr std::string_view kPixel =
    "Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAgICAAA==";

std::string pixel_url() { return "data:image/bmp;base64," + std::string(kPixel); }

// A folder with a picture in it, and one outside.
class MediaFolder : public ::testing::Test {
 protected:
  MediaFolder()
      : root_(fs::temp_directory_path() / ("vl2_media_" + std::to_string(getpid()))),
        media_(root_ / "media") {
    fs::create_directories(media_ / "a b");
    const fs::path picture = fs::path(VL2_MODELS) / "vl2-nano" / "demo" / "sign.png";
    fs::copy_file(picture, media_ / "a b" / "in.png", fs::copy_options::overwrite_existing);
    fs::copy_file(picture, root_ / "out.png", fs::copy_options::overwrite_existing);
    fs::create_symlink(root_ / "out.png", media_ / "link.png");
    policy_.media_path = media_;
  }
  ~MediaFolder() override { fs::remove_all(root_); }

  Image read(const std::string& url) {
    return PictureReader(policy_).read({.url = url, .param = "here"});
  }

  fs::path root_;
  fs::path media_;
  PicturePolicy policy_;
};

TEST(PictureReader, ReadsDataUrls) {
  const PicturePolicy policy;
  const Image image = PictureReader(policy).read({.url = pixel_url(), .param = "p"});
  EXPECT_EQ(image.width, 1);
  EXPECT_EQ(image.rgb, (std::vector<std::uint8_t>{128, 128, 128}));
}

TEST(PictureReader, SizesAloneAreEnoughForCountingOnly) {
  const PicturePolicy policy;
  PictureReader reader(policy);
  const PictureSource size{{}, "here", 640, 480};
  const Image image = reader.read_size(size);
  EXPECT_EQ(image.width, 640);
  EXPECT_EQ(image.height, 480);
  const ApiError::Details refusal = refusal_of([&] { reader.read(size); });
  EXPECT_EQ(refusal.code, "missing_image");
  EXPECT_EQ(refusal.param, "here");
}

TEST(PictureReader, RefusesOtherUrlsAndNamesThePart) {
  const PicturePolicy policy;
  const std::pair<std::string, std::string> all[] = {
      {"file:///etc/passwd", "unsupported_image_url"},
      {"data:image/png,abc", "invalid_image_url"},
      {"/etc/passwd", "invalid_image_url"},
      {"", "invalid_image_url"},
      {"data:image/png;base64,AAA", "invalid_base64"},
      {"data:image/png;base64,AAAA", "invalid_image"},
      {"data:image/png;base64,", "invalid_image"},
  };
  for (const auto& [url, code] : all) {
    const auto details = refusal_of([&] { PictureReader(policy).read({url, "p[1]"}); });
    EXPECT_EQ(details.code, code) << url;
    EXPECT_EQ(details.param, "p[1]") << url;
    EXPECT_EQ(details.status, 400) << url;
  }
}

TEST(PictureReader, CountsPicturesPixelsAndBytes) {
  PicturePolicy few;
  few.most_pictures = 1;
  PictureReader reader(few);
  reader.read({.url = pixel_url(), .param = "p"});
  EXPECT_EQ(refusal_of([&] { reader.read({.url = pixel_url(), .param = "p"}); }).code,
            "too_many_images");

  PicturePolicy small;
  small.most_bytes = 20;
  EXPECT_EQ(refusal_of([&] { PictureReader(small).read({.url = pixel_url(), .param = "p"}); }).code,
            "image_too_large");
}

TEST_F(MediaFolder, ReadsFilesBelowIt) {
  EXPECT_GT(read("file://a%20b/in.png").width, 1);
  EXPECT_GT(read("file://" + media_.string() + "/a%20b/in.png").width, 1);
}

TEST_F(MediaFolder, ReadsNothingElse) {
  for (const char* url :
       {"file://../out.png", "file://link.png", "file://a%20b", "file:///etc/passwd",
        "file://%2e%2e/out.png", "file://none.png", "file://a%00b", "file:///dev/zero", "file://"})
    EXPECT_EQ(refusal_of([&] { read(url); }).code, "image_not_found") << url;
}

TEST_F(MediaFolder, PixelsAreCountedOverAllPictures) {
  policy_.most_pixels = 384 * 384 * 3 / 2;
  PictureReader reader(policy_);
  const PictureSource source{"file://a%20b/in.png", "p"};
  reader.read(source);
  EXPECT_EQ(refusal_of([&] { reader.read(source); }).code, "invalid_image");
}

}  // namespace
}  // namespace vl2
