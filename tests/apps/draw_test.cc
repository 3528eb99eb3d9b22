// SPDX-License-Identifier: MIT
// Boxes on pictures: what is drawn, and that files are whole or absent.
#include <array>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "vl2/error.h"
#include "vl2/image.h"

#include "apps/demo_cases.h"
#include "apps/program.h"
#include "base/atomic_file.h"
#include "draw_boxes.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Pixel = std::array<int, 3>;

constexpr Pixel kGrey = {90, 90, 90};
constexpr Pixel kFirstColour = {255, 0, 0};
constexpr Pixel kSecondColour = {0, 255, 0};

Image grey_image(int width, int height) {
  const auto bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  return {width, height, std::vector<std::uint8_t>(bytes, 90)};
}

Pixel pixel(const Image& image, int x, int y) {
  const auto at = static_cast<std::size_t>(y * image.width + x) * 3;
  return {image.rgb.at(at), image.rgb.at(at + 1), image.rgb.at(at + 2)};
}

Image drawn(const Image& image, const std::vector<Box>& boxes) {
  const TemporaryFolder folder;
  draw_boxes(image, boxes, folder / "out.png");
  return load_image(folder / "out.png");
}

TEST(DrawBoxes, FramesAreThreePixelsWideInsideTheCorners) {
  const Image image = drawn(grey_image(200, 150), {{"", 0, 50, 40, 120, 100}});
  for (const int depth : {0, 1, 2}) {
    EXPECT_EQ(pixel(image, 50 + depth, 70), kFirstColour);
    EXPECT_EQ(pixel(image, 120 - depth, 70), kFirstColour);
    EXPECT_EQ(pixel(image, 80, 40 + depth), kFirstColour);
    EXPECT_EQ(pixel(image, 80, 100 - depth), kFirstColour);
  }
  EXPECT_EQ(pixel(image, 49, 70), kGrey);
  EXPECT_EQ(pixel(image, 53, 70), kGrey);
  EXPECT_EQ(pixel(image, 80, 101), kGrey);
  EXPECT_EQ(pixel(image, 80, 70), kGrey);
}

TEST(DrawBoxes, ColoursTakeTurnsAndBeginAgainAfterThirteen) {
  std::vector<Box> boxes;
  for (int i = 0; i < 14; ++i) boxes.push_back({"", 0, 10 + 12 * i, 30, 18 + 12 * i, 60});
  const Image image = drawn(grey_image(200, 100), boxes);
  EXPECT_EQ(pixel(image, 10, 40), kFirstColour);
  EXPECT_EQ(pixel(image, 22, 40), kSecondColour);
  EXPECT_EQ(pixel(image, 10 + 12 * 13, 40), kFirstColour);
}

TEST(DrawBoxes, LabelStandsTwentyPixelsAboveOrInsideThePicture) {
  const Image above = drawn(grey_image(200, 150), {{"cat", 0, 50, 60, 120, 100}});
  EXPECT_EQ(pixel(above, 50, 41), kFirstColour);
  EXPECT_EQ(pixel(above, 50, 38), kGrey);
  const Image at_the_top = drawn(grey_image(200, 150), {{"cat", 0, 50, 5, 120, 100}});
  EXPECT_EQ(pixel(at_the_top, 50, 0), kFirstColour);
  const Image at_the_right = drawn(grey_image(200, 150), {{"a cat", 0, 195, 60, 199, 100}});
  EXPECT_EQ(pixel(at_the_right, 199, 41), kFirstColour);
  EXPECT_EQ(pixel(at_the_right, 170, 41), kFirstColour);
}

TEST(DrawBoxes, TakesAnyCornersAndAnyScript) {
  const std::vector<Box> boxes = {{"reversed", 0, 120, 100, 50, 40},
                                  {"far away", 0, -2147483647 - 1, -5, 2147483647, 2147483647},
                                  {"长颈鹿 الزرافة \x01", 0, 20, 20, 20, 20},
                                  {std::string(3000, 'w'), 0, 1, 1, 1, 199}};
  const Image image = drawn(grey_image(200, 150), boxes);
  EXPECT_EQ(image.width, 200);
  EXPECT_EQ(image.height, 150);
  EXPECT_EQ(pixel(image, 120, 70), kFirstColour);
  EXPECT_EQ(pixel(image, 199, 149), kSecondColour);
  EXPECT_EQ(pixel(drawn(grey_image(1, 1), boxes), 0, 0), (Pixel{0, 255, 255}));
}

TEST(DrawBoxes, PicturesWithBoxesGetNumberedNames) {
  const std::vector<Box> boxes = {{"a", 4, 0, 0, 1, 1}, {"b", 1, 0, 0, 1, 1}, {"c", 4, 0, 0, 1, 1}};
  const std::vector<Drawing> drawings = plan_drawings(boxes, "folder/out.png");
  ASSERT_EQ(drawings.size(), 2U);
  EXPECT_EQ(drawings[0].image, 1U);
  EXPECT_EQ(drawings[0].path, "folder/out.png");
  EXPECT_EQ(drawings[1].image, 4U);
  EXPECT_EQ(drawings[1].path, "folder/out-2.png");
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  write_file(folder / "kept", "before");
  {
    AtomicFile file(folder / "kept");
    file.write("half");
  }
  EXPECT_EQ(folder.file_count(), 1U);
  EXPECT_EQ(fs::file_size(folder / "kept"), 6U);
}

TEST(AtomicFile, FollowsLinksAndRefusesFolders) {
  const TemporaryFolder folder;
  write_file(folder / "real", "before");
  fs::create_symlink("real", folder / "link");
  AtomicFile file(folder / "link");
  file.write("afterwards");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(fs::file_size(folder / "real"), 10U);
  EXPECT_THROW(AtomicFile(folder.path()), Error);
}

DemoCase grounded_case() {
  for (const DemoCase& demo : demo_cases()) {
    if (demo.is_grounded()) return demo;
  }
  throw std::runtime_error("no demo question asks for a box");
}

Result run_and_draw(const DemoCase& demo, const std::string& path) {
  std::vector<std::string> arguments = {"--weights", "f32", "--json", "--draw", path};
  for (const std::string& argument : arguments_of(demo)) arguments.push_back(argument);
  return run_on_nano("run", arguments);
}

TEST(RunDraw, WritesThePictureOfTheAnswer) {
  const TemporaryFolder folder;
  const DemoCase demo = grounded_case();
  const Result result = run_and_draw(demo, folder / "out.png");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("out.png"));
  EXPECT_EQ(result.json()["drawings"][0]["path"], std::string(folder / "out.png"));
  EXPECT_EQ(folder.file_count(), 1U);
  const Image before = load_image(demo.images[0]);
  const Image after = load_image(folder / "out.png");
  EXPECT_EQ(after.width, before.width);
  EXPECT_EQ(after.height, before.height);
  EXPECT_NE(after.rgb, before.rgb);
}

TEST(RunDraw, SaysWhenThereIsNothingToDraw) {
  const TemporaryFolder folder;
  const Result result = run_and_draw(simple_cases().at(0), folder / "out.png");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_EQ(folder.file_count(), 0U);
}

TEST(RunDraw, FullDiskIsAnError) {
  const Result result = run_and_draw(grounded_case(), "/dev/full");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("/dev/full"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(RunDraw, MissingFolderIsToldBeforeAnythingIsComputed) {
  const TemporaryFolder folder;
  const Result result = run_and_draw(grounded_case(), folder / "missing" / "out.png");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(is_one_clear_line(result.errors));
}

TEST(RunDraw, ProtectedFolderIsAnError) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const Result result = run_and_draw(grounded_case(), folder / "out.png");
  fs::permissions(folder.path(), fs::perms::owner_all);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
}

}  // namespace
}  // namespace vl2
