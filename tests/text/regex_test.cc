// SPDX-License-Identifier: MIT
#include "text/regex.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string first_match(const std::string& pattern, const std::string& text, std::size_t from = 0) {
  RegexScratch scratch;
  const auto match = Regex(pattern, "test").find(text, from, scratch);
  return match ? text.substr(match->begin, match->end - match->begin) : "(none)";
}

TEST(Regex, FindsUnicodeClasses) {
  EXPECT_EQ(first_match(R"(\p{N}{1,3})", "x\uFF11\uFF12\u2167\u00BD"), "\uFF11\uFF12\u2167");
  EXPECT_EQ(first_match(R"([\p{L}\p{M}]+)", "1e\u0301\u4E001"), "e\u0301\u4E00");
}

TEST(Regex, WhiteSpaceIsUnicodesOwn) {
  EXPECT_EQ(first_match(R"(\s+)", "a\u0085\u3000\u2028b"), "\u0085\u3000\u2028");
  EXPECT_EQ(first_match(R"([\s]+)", "a\u180E \u180E"), " ");
  EXPECT_EQ(first_match(R"(\S+)", " \u180Ea "), "\u180Ea");
  EXPECT_EQ(first_match(R"([^\s\p{L}]+)", "ab 12 "), "12");
}

TEST(Regex, ClassesKeepTheirMeaning) {
  EXPECT_EQ(first_match(R"([]\s]+)", "a] ]b"), "] ]");
  EXPECT_EQ(first_match(R"([[:digit:]\s]+)", "a1 2b"), "1 2");
  EXPECT_EQ(first_match(R"([\]\\s]+)", "a]s\\ "), "]s\\");
  EXPECT_EQ(first_match(R"(\[\s)", "a[ b"), "[ ");
}

TEST(Regex, DollarIsTheEndOfALine) {
  EXPECT_EQ(first_match(R"(\s+$)", "a  b \t\nc"), " \t");
  EXPECT_EQ(first_match(R"(b$)", "ab\nc"), "b");
}

TEST(Regex, TrailingSpaceContinuesWhereTheSearchBegins) {
  // The search from byte 4 stands inside the run of spaces that it may match.
  EXPECT_EQ(first_match(R"(\s+$)", "a  \n  ", 4), "  ");
  EXPECT_EQ(first_match(R"(\s+$)", "a  b"), "(none)");
}

TEST(Regex, LongRunsOfSpacesAreNotRetriedFromEverySpace) {
  // At a quadratic pace this would take hours.
  const std::string text = std::string(4 << 20, ' ') + "x";
  EXPECT_EQ(first_match(R"(\s+$)", text), "(none)");
}

TEST(Regex, LiteralsAreNotPatterns) {
  RegexScratch scratch;
  const auto match = Regex::literal("a.b").find("axb a.b", 0, scratch);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->begin, 4u);
}

TEST(Regex, BadPatternsNameTheField) {
  EXPECT_THAT([] { Regex("(a", "t.json: field x"); },
              ThrowsMessage<Error>(HasSubstr("t.json: field x: the pattern \"(a\"")));
  EXPECT_THAT([] { Regex("[a[bc]]", "t.json: field x"); },
              ThrowsMessage<Error>(HasSubstr("combines character classes")));
}

TEST(Regex, UnreasonableBacktrackingIsAnError) {
  RegexScratch scratch;
  const Regex regex("(?:a|aa|aaa)+(?:b|c)d", "test");
  EXPECT_THROW(regex.find(std::string(200, 'a') + "bxd", 0, scratch), Error);
}

TEST(Regex, DeepBacktrackingOverLongTextsSucceeds) {
  const std::string text(1 << 20, 'a');
  EXPECT_EQ(first_match("(?:a|b)+", text).size(), text.size());
}

}  // namespace
}  // namespace vl2
