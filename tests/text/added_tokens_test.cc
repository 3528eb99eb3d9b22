// SPDX-License-Identifier: MIT
#include "text/added_tokens.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vl2 {
namespace {

using ::testing::ElementsAre;

AddedToken token(std::int32_t id, const std::string& text) {
  AddedToken result;
  result.id = id;
  result.text = text;
  return result;
}

// Segments as text, added tokens with their id in front.
std::vector<std::string> split(const std::vector<AddedToken>& tokens, const std::string& text) {
  RegexScratch scratch;
  std::vector<std::string> result;
  for (const TextSegment& segment : AddedTokens(tokens).split(text, scratch)) {
    const std::string label = segment.id < 0 ? "" : std::to_string(segment.id) + ":";
    result.push_back(label + std::string(segment.text));
  }
  return result;
}

TEST(AddedTokens, LeftmostThenLongest) {
  const std::vector<AddedToken> tokens = {token(1, "<a"), token(2, "<a>"), token(3, "a>b"),
                                          token(4, "")};
  EXPECT_THAT(split(tokens, "x<a>b<a!"), ElementsAre("x", "2:<a>", "b", "1:<a", "!"));
  EXPECT_THAT(split(tokens, "xa>b"), ElementsAre("x", "3:a>b"));
  EXPECT_THAT(split(tokens, ""), ElementsAre());
}

TEST(AddedTokens, TokensThatAreNotNormalizedGoFirst) {
  std::vector<AddedToken> tokens = {token(1, "ab"), token(2, "bc")};
  tokens[0].normalized = true;
  EXPECT_THAT(split(tokens, "abc ab"), ElementsAre("a", "2:bc", " ", "1:ab"));
}

TEST(AddedTokens, StripsTakeWhiteSpaceAlong) {
  std::vector<AddedToken> tokens = {token(1, "<l>"), token(2, "<r>")};
  tokens[0].lstrip = true;
  tokens[1].rstrip = true;
  EXPECT_THAT(split(tokens, "a \u3000<l> <r> \n b"),
              ElementsAre("a", "1: \u3000<l>", " ", "2:<r> \n ", "b"));
  EXPECT_THAT(split(tokens, "<r>  <l>"), ElementsAre("2:<r>  ", "1:<l>"));
  EXPECT_THAT(split(tokens, "  <l>"), ElementsAre("1:  <l>"));
}

TEST(AddedTokens, SingleWordsStandAlone) {
  std::vector<AddedToken> tokens = {token(1, "cat")};
  tokens[0].single_word = true;
  EXPECT_THAT(split(tokens, "cat, catty \u00E9cat cat"),
              ElementsAre("1:cat", ", catty \u00E9cat ", "1:cat"));
}

TEST(AddedTokens, SurviveBrokenText) {
  EXPECT_THAT(split({token(1, "<a>")}, "\xFF<a>\xC3<a"), ElementsAre("\xFF", "1:<a>", "\xC3<a"));
}

}  // namespace
}  // namespace vl2
