// SPDX-License-Identifier: MIT
#include "server/regex_grammar.h"

#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "vl2/error.h"

#include "text/unicode.h"

namespace vl2 {
namespace {

using RuleId = ByteGrammar::RuleId;
using Sequence = ByteGrammar::Sequence;

const std::vector<CodePoints> kDigit = {{'0', '9'}};
const std::vector<CodePoints> kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const std::vector<CodePoints> kSpace = {{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x2028, 0x2029}};
const std::vector<CodePoints> kNewline = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

class Parser {
 public:
  Parser(JsonPieces& pieces, std::string_view pattern) : pieces_(pieces), pattern_(pattern) {}

  RuleId parse() {
    const RuleId rule = alternatives(true);
    if (at_ < pattern_.size()) fail("a ) without a (");
    return rule;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the pattern has {} at byte {}", what, at_));
  }

  bool ended() const { return at_ == pattern_.size(); }
  char peek() const { return pattern_[at_]; }
  bool take(char c) {
    const bool is_next = !ended() && peek() == c;
    if (is_next) ++at_;
    return is_next;
  }
  char32_t take_code_point() {
    if (ended()) fail("no end");
    const Utf8Step step = utf8_step(pattern_, at_);
    at_ += step.length;
    return step.code_point;
  }

  // Each alternative of the outermost level has anchors of its own.
  RuleId alternatives(bool outermost) {
    constexpr int kDeepest = 64;
    if (++depth_ > kDeepest) fail("groups nested too deep");
    std::vector<Sequence> all;
    do {
      Sequence sequence;
      const bool from_start = outermost && take('^');
      bool to_end = false;
      if (outermost && !from_start) sequence.emplace_back(anything());
      while (!ended() && peek() != '|' && peek() != ')') {
        to_end = outermost && take('$');
        if (!to_end)
          sequence.emplace_back(repeated_atom());
        else if (!ended() && peek() != '|')
          fail("a $ before its end");
      }
      if (outermost && !to_end) sequence.emplace_back(anything());
      all.push_back(std::move(sequence));
    } while (take('|'));
    --depth_;
    return pieces_.grammar.rule(std::move(all));
  }

  RuleId anything() { return pieces_.repeated(pieces_.character, 0, kUnlimited); }

  RuleId repeated_atom() {
    const RuleId item = atom();
    std::size_t least = 1;
    std::size_t most = 1;
    if (take('*')) {
      least = 0, most = kUnlimited;
    } else if (take('+')) {
      most = kUnlimited;
    } else if (take('?')) {
      least = 0;
    } else if (take('{')) {
      std::tie(least, most) = counts();
    } else {
      return item;
    }
    // Lazy or not, the words are the same.
    if (!take('?') && !ended() && (peek() == '+' || peek() == '*')) fail("two quantifiers");
    return pieces_.repeated(item, least, most);
  }

  std::pair<std::size_t, std::size_t> counts() {
    const std::size_t least = count();
    std::size_t most = least;
    if (take(',')) most = take('}') ? kUnlimited : count();
    if (pattern_[at_ - 1] != '}' && !take('}')) fail("a quantifier without }");
    if (most < least) fail("a quantifier with its numbers the wrong way round");
    return {least, most};
  }

  std::size_t count() {
    constexpr std::size_t kMost = 1000;
    if (ended() || peek() < '0' || peek() > '9') fail("a quantifier without a number");
    std::size_t value = 0;
    while (!ended() && peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<std::size_t>(pattern_[at_++] - '0');
      if (value > kMost) fail("a quantifier above 1000");
    }
    return value;
  }

  RuleId atom() {
    if (take('(')) return group();
    if (take('[')) return pieces_.character_in(char_class());
    if (take('.')) return pieces_.character_in(other_code_points(kNewline));
    if (take('\\')) return pieces_.character_in(escape());
    for (const char c : std::string_view("*+?{^$"))
      if (peek() == c) fail(fmt::format("a {} that means nothing or is not understood", c));
    const char32_t code = take_code_point();
    return pieces_.character_in({{code, code}});
  }

  RuleId group() {
    if (take('?') && !take(':')) fail("a group of a kind that is not understood");
    const RuleId rule = alternatives(false);
    if (!take(')')) fail("a ( without a )");
    return rule;
  }

  std::vector<CodePoints> char_class() {
    const bool negated = take('^');
    std::vector<CodePoints> ranges;
    while (!take(']')) {
      if (ended()) fail("a [ without a ]");
      std::vector<CodePoints> first = class_member();
      const bool is_range = first.size() == 1 && first[0].first == first[0].second && !ended() &&
                            peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
      if (is_range) {
        ++at_;
        const std::vector<CodePoints> last = class_member();
        if (last.size() != 1 || last[0].first != last[0].second || last[0].first < first[0].first)
          fail("a range that is none");
        first[0].second = last[0].first;
      }
      ranges.insert(ranges.end(), first.begin(), first.end());
    }
    return negated ? other_code_points(std::move(ranges)) : ranges;
  }

  std::vector<CodePoints> class_member() {
    if (take('\\')) {
      if (take('b')) return {{'\b', '\b'}};
      return escape();
    }
    const char32_t code = take_code_point();
    return {{code, code}};
  }

  // Behind the backslash.
  std::vector<CodePoints> escape() {
    const char32_t code = take_code_point();
    switch (code) {
      case 'd':
        return kDigit;
      case 'D':
        return other_code_points(kDigit);
      case 'w':
        return kWord;
      case 'W':
        return other_code_points(kWord);
      case 's':
        return kSpace;
      case 'S':
        return other_code_points(kSpace);
      case 'n':
        return {{'\n', '\n'}};
      case 'r':
        return {{'\r', '\r'}};
      case 't':
        return {{'\t', '\t'}};
      case 'f':
        return {{'\f', '\f'}};
      case 'v':
        return {{'\v', '\v'}};
      case 'x':
        return hex(2);
      case 'u':
        return hex(4);
      default:
        break;
    }
    const bool is_name = (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
                         (code >= 'A' && code <= 'Z');
    if (is_name) fail("an escape that is not understood");
    return {{code, code}};
  }

  std::vector<CodePoints> hex(int digits) {
    char32_t code = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t c = take_code_point();
      if (c >= '0' && c <= '9')
        code = code * 16 + (c - '0');
      else if ((c | 32U) >= 'a' && (c | 32U) <= 'f')
        code = code * 16 + ((c | 32U) - 'a' + 10);
      else
        fail("a broken escape");
    }
    return {{code, code}};
  }

  JsonPieces& pieces_;
  std::string_view pattern_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

ByteGrammar::RuleId pattern_rule(JsonPieces& pieces, std::string_view pattern) {
  const RuleId inside = Parser(pieces, pattern).parse();
  return pieces.grammar.rule({{one_byte('"'), inside, one_byte('"')}});
}

}  // namespace vl2
