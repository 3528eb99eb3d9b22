// SPDX-License-Identifier: MIT
#include "engine/stop_strings.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace vl2 {
namespace {

// The text that comes out when `text` goes in piece by piece.
std::string pass(StopStrings& stops, const std::vector<std::string>& pieces) {
  std::string out;
  for (const std::string& piece : pieces) out += stops.push(piece);
  return out + stops.flush();
}

TEST(StopStrings, WithoutAnyTextPassesAtOnce) {
  StopStrings stops({});
  EXPECT_EQ(stops.push("any text"), "any text");
  EXPECT_FALSE(stops.found());
}

TEST(StopStrings, TheAnswerEndsBeforeTheStopString) {
  StopStrings stops({"END"});
  EXPECT_EQ(stops.push("before END after"), "before ");
  EXPECT_TRUE(stops.found());
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.flush(), "");
}

TEST(StopStrings, AStopStringMayComeInParts) {
  StopStrings stops({"User:"});
  EXPECT_EQ(stops.push("yes\nUs"), "yes\n");
  EXPECT_EQ(stops.push("er"), "");
  EXPECT_EQ(stops.push(": next"), "");
  EXPECT_TRUE(stops.found());
}

TEST(StopStrings, WhatOnlyLookedLikeOneIsGivenBack) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.push("aa"), "");
  EXPECT_EQ(stops.push("a"), "a");  // the last two may still begin one
  EXPECT_EQ(stops.push("c"), "aac");
  EXPECT_FALSE(stops.found());
}

TEST(StopStrings, FlushGivesWhatWasHeldBack) {
  StopStrings stops({"\n\n"});
  EXPECT_EQ(stops.push("text\n"), "text");
  EXPECT_EQ(stops.flush(), "\n");
}

TEST(StopStrings, TheOneThatIsCompleteFirstCounts) {
  StopStrings stops({"abcd", "bc"});
  EXPECT_EQ(stops.push("xabcd"), "xa");
  StopStrings together({"c", "abc"});
  EXPECT_EQ(together.push("xabcd"), "x");
}

TEST(StopStrings, NeverCutsACharacter) {
  StopStrings stops({"ö."});
  EXPECT_EQ(stops.push("schö"), "sch");
  EXPECT_EQ(stops.push("n"), "ön");
}

TEST(StopStrings, PiecesDoNotMatter) {
  const std::string text = "abaabababbabaabbbaabab";
  const std::vector<std::vector<std::string>> lists = {
      {"abab"}, {"bbb"}, {"aabb", "babb"}, {"zz"}, {"bab", "abba"}, {"aabab", "b" + text}};
  for (const auto& list : lists) {
    StopStrings whole(list);
    const std::string expected = pass(whole, {text});
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      std::vector<std::string> pieces(1);
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (random_unit(seed, i) < 0.4) pieces.emplace_back();
        pieces.back() += text[i];
      }
      StopStrings cut(list);
      EXPECT_EQ(pass(cut, pieces), expected) << list.front() << " seed " << seed;
      EXPECT_EQ(cut.found(), whole.found());
    }
  }
}

}  // namespace
}  // namespace vl2
