// SPDX-License-Identifier: MIT
#include "engine/boxes.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

Image blank(int width, int height) { return {width, height, {}}; }

std::string grounded(const std::string& label) {
  return "<|ref|>" + label + "<|/ref|><|det|>[[0, 100, 999, 500]]<|/det|>";
}

// The picture that the only box of the answer is in.
std::size_t picture_of(const std::string& answer, const std::string& question,
                       std::size_t pictures) {
  const std::vector<Message> messages = {
      {Role::user, question, std::vector<Image>(pictures, blank(100, 100))}};
  const auto boxes = find_boxes(answer, messages);
  EXPECT_EQ(boxes.size(), 1U);
  return boxes.at(0).image;
}

TEST(Boxes, AreInPixelsOfTheOnlyPicture) {
  const std::vector<Message> messages = {{Role::user, "<image>\nFind it.", {blank(640, 480)}},
                                         {Role::assistant, "here", {}},
                                         {Role::user, "And now?", {}}};
  const auto boxes = find_boxes(grounded("cat"), messages);
  ASSERT_EQ(boxes.size(), 1U);
  EXPECT_EQ(boxes[0].label, "cat");
  EXPECT_EQ(boxes[0].image, 0U);
  EXPECT_EQ(boxes[0].x1, 0);
  EXPECT_EQ(boxes[0].y1, 48);
  EXPECT_EQ(boxes[0].x2, 640);
  EXPECT_EQ(boxes[0].y2, 240);
}

TEST(Boxes, OfSeveralPicturesTheLastIsMeant) {
  EXPECT_EQ(picture_of(grounded("cat"), "Find the same cat in the second picture.", 2), 1U);
}

TEST(Boxes, TheQuestionMayNameAPicture) {
  EXPECT_EQ(picture_of(grounded("cat"),
                       "This is image_1: <image>\nThis is image_2: <image>\nA cat in image_1?", 2),
            0U);
  // Names before the places only number the pictures.
  EXPECT_EQ(picture_of(grounded("cat"), "image_2: <image>\nimage_1: <image>\nA cat?", 2), 1U);
}

TEST(Boxes, TheLabelNamesAPictureBeforeTheQuestionDoes) {
  EXPECT_EQ(picture_of(grounded("the cat in image_2"), "What about image_1?", 3), 1U);
}

TEST(Boxes, NamesOfPicturesThatAreNotThereAreWords) {
  EXPECT_EQ(picture_of(grounded("image_0 image_ image_99999999999999999999"), "image_4?", 3), 2U);
}

TEST(Boxes, WithoutPicturesThereAreNone) {
  const std::vector<Message> messages = {{Role::user, "Find it.", {}}};
  EXPECT_TRUE(find_boxes(grounded("cat"), messages).empty());
}

TEST(Boxes, HugeNumbersStayNumbers) {
  const std::vector<Message> messages = {{Role::user, "Find it.", {blank(100000, 100)}}};
  const auto boxes =
      find_boxes("<|ref|>x<|/ref|><|det|>[[-999999999, 0, 999999999, 1]]<|/det|>", messages);
  ASSERT_EQ(boxes.size(), 1U);
  EXPECT_EQ(boxes[0].x2, 2147483647);
  EXPECT_EQ(boxes[0].x1, -2147483647 - 1);
}

}  // namespace
}  // namespace vl2
