// SPDX-License-Identifier: MIT
#include "text/unicode.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

// U+FFFD, for expectations.
const std::string kR = std::string(kReplacement);

TEST(Unicode, ReplacesEachMaximalBrokenSequenceOnce) {
  // The cases of the Unicode standard, section 3.9, tables 3-8 to 3-11.
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", kR + kR + kR + kR + kR + kR + kR + kR + "A"},
      {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", kR + kR + kR + kR + kR + kR + kR + kR + "A"},
      {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", kR + kR + kR + kR + kR + "A" + kR + kR + "B"},
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", kR + kR + kR + kR + "A"},
      {"\xF0\x9F\x98", kR},
      {"a\xC3", "a" + kR},
  };
  for (const auto& [broken, expected] : cases) EXPECT_EQ(replace_broken_utf8(broken), expected);
}

TEST(Unicode, KeepsValidText) {
  const std::string text = "a\u00E9\u20AC\U0001F600\uFFFD\U0010FFFF";
  EXPECT_EQ(replace_broken_utf8(text), text);
  EXPECT_EQ(valid_utf8_prefix(text), text.size());
}

TEST(Unicode, StepsTellIncompleteFromBroken) {
  EXPECT_EQ(utf8_step("\xE2\x82", 0).state, Utf8State::incomplete);
  EXPECT_EQ(utf8_step("\xE2\x82", 0).length, 2u);
  EXPECT_EQ(utf8_step("\xE2\x28", 0).state, Utf8State::broken);
  EXPECT_EQ(utf8_step("\xE0\x80", 0).state, Utf8State::broken);
  EXPECT_EQ(utf8_step("\u20AC", 0).code_point, U'\u20AC');
}

TEST(Unicode, AppendsEveryLength) {
  for (const char32_t code : {U'\0', U'z', U'\u07FF', U'\u0800', U'\uFFFF', U'\U00010000'}) {
    std::string text;
    append_utf8(text, code);
    const Utf8Step step = utf8_step(text, 0);
    EXPECT_EQ(step.state, Utf8State::valid);
    EXPECT_EQ(step.length, text.size());
    EXPECT_EQ(step.code_point, code);
  }
}

TEST(Unicode, StripsWhatPythonStrips) {
  const std::string spaces = "\x1C\x1F\t\n\u0085\u00A0\u1680\u2000\u200A\u2028\u202F\u205F\u3000 ";
  EXPECT_EQ(strip_white_space(spaces + "a b" + spaces), "a b");
  EXPECT_EQ(strip_white_space(spaces), "");
  EXPECT_EQ(strip_white_space(""), "");
  // Zero-width space, byte order mark and Mongolian vowel separator are not white space.
  for (const std::string text : {"\u200B", "\uFEFF", "\u180E", "\x1B"}) {
    EXPECT_EQ(strip_white_space(text), text);
  }
}

}  // namespace
}  // namespace vl2
