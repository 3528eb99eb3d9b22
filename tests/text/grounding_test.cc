// SPDX-License-Identifier: MIT
#include "text/grounding.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/goldens.h"

namespace vl2 {
namespace {

using ::nlohmann::json;

PixelBox box_of(const json& box) { return {box.at(0), box.at(1), box.at(2), box.at(3)}; }

std::string det(const std::string& list) { return "<|ref|>x<|/ref|><|det|>" + list + "<|/det|>"; }

TEST(Grounding, BoxesAreTheOriginals) {
  const json golden = testing::read_json(testing::goldens() / "grounding.json");
  int compared = 0;
  for (const json& test : golden.at("cases")) {
    // Expressions that only an interpreter could read are refused.
    if (test.contains("python_eval_only")) continue;
    const std::string text = test.at("text");
    const std::vector<GroundedBox> boxes = parse_grounding(text);
    if (test.at("results").is_string()) {
      EXPECT_TRUE(boxes.empty()) << text;
      ++compared;
      continue;
    }
    for (const json& result : test.at("results")) {
      const json& expected = result.at("boxes");
      ASSERT_EQ(boxes.size(), expected.size()) << text;
      const json& size = result.at("image_size");
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        EXPECT_EQ(boxes[i].label, expected[i].at("label"));
        EXPECT_EQ(to_pixels(boxes[i], size.at(0), size.at(1)), box_of(expected[i].at("box")))
            << text;
      }
      ++compared;
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(Grounding, ExpressionsAreRefused) {
  for (const std::string list : {"[[1+1, 2, 3, 4]]", "[[0x10, 2, 3, 4]]", "[[1, 2, 3, 4,]]",
                                 "[[1_0, 2, 3, 4]]", "[[1, 2, 3, __import__('os')]]"}) {
    EXPECT_TRUE(parse_grounding(det(list)).empty()) << list;
  }
}

TEST(Grounding, NumbersArePythons) {
  const auto first = [](const std::string& number) {
    const auto boxes = parse_grounding(det("[[" + number + ", 2, 3, 4]]"));
    return boxes.empty() ? -999.0 : boxes[0].x1;
  };
  EXPECT_EQ(first("+7"), 7);
  EXPECT_EQ(first("-7"), -7);
  EXPECT_EQ(first(".5"), 0.5);
  EXPECT_EQ(first("5."), 5);
  EXPECT_EQ(first("007.5"), 7.5);
  EXPECT_EQ(first("00"), 0);
  EXPECT_EQ(first("1E2"), 100);
  for (const std::string bad : {"07", "", ".", "-", "--1", "+-1", "1e", "inf", "nan", "-inf",
                                "1e400", "99999999999", "1 2", "\u0661"}) {
    EXPECT_EQ(first(bad), -999.0) << bad;
  }
}

TEST(Grounding, CutsWholeCharactersOffTheEnds) {
  EXPECT_EQ(parse_grounding(det("\u3010[1, 2, 3, 4]\u3011")).size(), 1u);
  EXPECT_EQ(parse_grounding(det("\u3010")).size(), 0u);
  EXPECT_EQ(parse_grounding(det("\xE3\x80[1, 2, 3, 4]\xE3")).size(), 1u);
}

TEST(Grounding, MarksStandOnOneLine) {
  EXPECT_TRUE(parse_grounding("<|ref|>a\n<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>").empty());
  const auto boxes = parse_grounding("<|ref|>lost\n" + det("[[1, 2, 3, 4]]") + "\n" +
                                     det("[[5, 6, 7, 8]]") + "<|ref|>open");
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[1].y2, 8);
}

TEST(Grounding, LongMarkupCompletes) {
  std::string open;
  std::string lines;
  for (int i = 0; i < 200'000; ++i) {
    open += "<|ref|>";
    lines += "<|ref|>\n";
  }
  EXPECT_TRUE(parse_grounding(open).empty());
  EXPECT_TRUE(parse_grounding(lines + "<|/ref|>").empty());
  EXPECT_EQ(parse_grounding(open + det("[[1, 2, 3, 4]]")).at(0).label, "x");
}

}  // namespace
}  // namespace vl2
