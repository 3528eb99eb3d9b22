// SPDX-License-Identifier: MIT
#include "text/pretokenizer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const json kByteLevel = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};

json split_step(const std::string& pattern, const std::string& behavior, bool invert = false) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", pattern}}},
          {"behavior", behavior},
          {"invert", invert}};
}

std::vector<std::string> split(const json& steps, const std::string& text) {
  const json document = {{"type", "Sequence"}, {"pretokenizers", steps}};
  const Pretokenizer pretokenizer(JsonField(document, "t.json"));
  RegexScratch scratch;
  std::vector<std::string_view> pieces;
  pretokenizer.split(text, scratch, pieces);
  return {pieces.begin(), pieces.end()};
}

std::vector<std::string> split_dashes(const std::string& behavior, bool invert = false) {
  return split({split_step("-", behavior, invert), kByteLevel}, "the-final--countdown");
}

// The text and the expectations are those of the format's own documentation.
TEST(Pretokenizer, Behaviors) {
  EXPECT_THAT(split_dashes("Removed"), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(split_dashes("Isolated"), ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(split_dashes("MergedWithPrevious"), ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(split_dashes("MergedWithNext"), ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(split_dashes("Contiguous"), ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(Pretokenizer, InvertSwapsMatchesAndTheRest) {
  EXPECT_THAT(split_dashes("Removed", true), ElementsAre("-", "-", "-"));
  EXPECT_THAT(split_dashes("MergedWithNext", true),
              ElementsAre("the-", "final-", "-", "countdown"));
}

TEST(Pretokenizer, StepsApplyToThePiecesOfEarlierOnes) {
  const json steps = {split_step(R"(\p{N}{1,3})", "Isolated"),
                      split_step(R"(\s+(?!\S)|\s+)", "Isolated"), kByteLevel};
  // The spaces before digits end their piece, so that the look-ahead sees no letter behind them.
  EXPECT_THAT(split(steps, "a  1234 b  c"),
              ElementsAre("a", "  ", "123", "4", " ", "b", " ", " ", "c"));
}

TEST(Pretokenizer, Digits) {
  const auto digits = [](bool each) {
    return json{{{"type", "Digits"}, {"individual_digits", each}}, kByteLevel};
  };
  EXPECT_THAT(split(digits(true), "a12\u00BD"), ElementsAre("a", "1", "2", "\u00BD"));
  EXPECT_THAT(split(digits(false), "a12b"), ElementsAre("a", "12", "b"));
}

TEST(Pretokenizer, ByteLevelMaySplitByItsOwnPattern) {
  const json step = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  EXPECT_THAT(split(json::array({step}), "I'm  here 12!"),
              ElementsAre("I", "'m", " ", " here", " 12", "!"));
}

TEST(Pretokenizer, LiteralAndEmptyMatches) {
  const json literal = {
      {"type", "Split"}, {"pattern", {{"String", "a."}}}, {"behavior", "Isolated"}};
  EXPECT_THAT(split({literal, kByteLevel}, "aba.b"), ElementsAre("ab", "a.", "b"));
  EXPECT_THAT(split({split_step("x*", "Isolated"), kByteLevel}, "\u00E9xxb"),
              ElementsAre("\u00E9", "xx", "b"));
}

TEST(Pretokenizer, BrokenBytesArePiecesOfTheirOwn) {
  const json steps = {split_step(R"(\p{L}+)", "Isolated"), kByteLevel};
  EXPECT_THAT(split(steps, "ab\xFF\xC3 c\xE2\x82"),
              ElementsAre("ab", "\xFF\xC3", " ", "c", "\xE2\x82"));
}

TEST(Pretokenizer, UnknownTypesAreNamed) {
  const json unknown = {{"type", "Metaspace"}};
  EXPECT_THAT([&] { split({unknown, kByteLevel}, ""); },
              ThrowsMessage<Error>(HasSubstr("\"Metaspace\" is not known")));
  EXPECT_THAT([&] { split({kByteLevel, unknown}, ""); }, ThrowsMessage<Error>(HasSubstr("last")));
  EXPECT_THAT([&] { split({split_step("a", "Sometimes"), kByteLevel}, ""); },
              ThrowsMessage<Error>(HasSubstr("[0].behavior: split behavior \"Sometimes\"")));
}

TEST(Pretokenizer, UnsupportedByteLevelOptionsAreErrors) {
  const json prefixed = {{"type", "ByteLevel"}, {"add_prefix_space", true}};
  EXPECT_THAT([&] { split(json::array({prefixed}), ""); },
              ThrowsMessage<Error>(HasSubstr("add_prefix_space")));
  EXPECT_THAT([&] { split(json::array(), ""); }, ThrowsMessage<Error>(HasSubstr("no steps")));
}

}  // namespace
}  // namespace vl2
