// SPDX-License-Identifier: MIT
#include "server/json_pieces.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>

#include "text/unicode.h"

namespace vl2 {
namespace {

using Sequence = ByteGrammar::Sequence;

// What bytes after the first of a number or a character may be.
struct Fill {
  char low;
  char high;
};
constexpr Fill kDigits = {'0', '9'};
constexpr Fill kContinuation = {static_cast<char>(0x80), static_cast<char>(0xBF)};

ByteSet between(char low, char high) {
  return byte_range(static_cast<unsigned char>(low), static_cast<unsigned char>(high));
}

// The texts of one length that lie between two others, as alternatives behind `prefix`.
void add_between(const std::string& low, const std::string& high, Fill fill, Sequence prefix,
                 std::vector<Sequence>& into) {
  const std::size_t rest = low.size() - 1;
  const std::string lowest(rest, fill.low);
  const std::string highest(rest, fill.high);
  const auto with = [&](const ByteSet& set) {
    Sequence sequence = prefix;
    sequence.emplace_back(set);
    return sequence;
  };
  auto first = static_cast<unsigned char>(low[0]);
  auto last = static_cast<unsigned char>(high[0]);
  if (rest > 0 && first == last) {
    return add_between(low.substr(1), high.substr(1), fill, with(byte_range(first, last)), into);
  }
  if (low.substr(1) != lowest) {
    add_between(low.substr(1), highest, fill, with(byte_range(first, first)), into);
    ++first;
  }
  const bool cut = high.substr(1) != highest;
  if (cut) add_between(lowest, high.substr(1), fill, with(byte_range(last, last)), into);
  if (cut) --last;
  if (first > last) return;
  Sequence whole = with(byte_range(first, last));
  whole.insert(whole.end(), rest, between(fill.low, fill.high));
  into.push_back(std::move(whole));
}

std::string utf8(char32_t code) {
  std::string text;
  append_utf8(text, code);
  return text;
}

// UTF-8 of these code points; surrogates have none.
void add_utf8(CodePoints points, std::vector<Sequence>& into) {
  constexpr CodePoints kLengths[] = {
      {0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, kLastCodePoint}};
  for (const CodePoints& length : kLengths) {
    const char32_t first = std::max(points.first, length.first);
    const char32_t last = std::min(points.second, length.second);
    if (first <= last) add_between(utf8(first), utf8(last), kContinuation, {}, into);
  }
}

// A character that strings must not hold as it is.
std::string escaped(char32_t code) {
  switch (code) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return fmt::format("\\u{:04x}", static_cast<unsigned>(code));
  }
}

const std::vector<CodePoints> kPlain = {
    {0x20, '"' - 1}, {'"' + 1, '\\' - 1}, {'\\' + 1, kLastCodePoint}};

std::u32string code_points(std::string_view text) {
  std::u32string codes;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    codes += step.code_point;
    at += step.length;
  }
  return codes;
}

}  // namespace

std::vector<CodePoints> other_code_points(std::vector<CodePoints> ranges) {
  std::ranges::sort(ranges);
  std::vector<CodePoints> others;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) others.emplace_back(next, first - 1);
    next = std::max<char32_t>(next, last + 1);
  }
  if (next <= kLastCodePoint) others.emplace_back(next, kLastCodePoint);
  return others;
}

JsonPieces::JsonPieces(ByteGrammar& to) : grammar(to) {
  constexpr std::size_t kMostIndentation = 32;
  const RuleId blank = grammar.rule({{ByteSet(one_byte(' ') | one_byte('\t'))}});
  space =
      grammar.rule({{}, {one_byte(' ')}, {one_byte('\n'), repeated(blank, 0, kMostIndentation)}});

  std::vector<Sequence> plain;
  for (const CodePoints& points : kPlain) add_utf8(points, plain);
  const RuleId plain_character = grammar.rule(plain);
  ByteSet simple;
  for (const char c : std::string_view("\"\\/bfnrt")) simple |= one_byte(c);
  Sequence control = text_sequence("\\u00");
  control.emplace_back(between('0', '1'));
  control.emplace_back(ByteSet(between('0', '9') | between('a', 'f')));
  character = grammar.rule({{plain_character}, {one_byte('\\'), simple}, std::move(control)});

  string = grammar.rule({{one_byte('"'), repeated(character, 0, kUnlimited), one_byte('"')}});
  rest_of_plain_string_ = grammar.rule({{repeated(plain_character, 0, kUnlimited), one_byte('"')}});
  add_numbers();
  add_values();
}

void JsonPieces::add_numbers() {
  constexpr std::size_t kMostDigits = 17;  // what a double holds
  const RuleId digit = grammar.rule({{between('0', '9')}});
  const RuleId whole =
      grammar.rule({{one_byte('0')}, {between('1', '9'), repeated(digit, 0, kMostDigits)}});
  integer =
      grammar.rule({{whole}, {one_byte('-'), between('1', '9'), repeated(digit, 0, kMostDigits)}});
  const RuleId minus = grammar.rule({{}, {one_byte('-')}});
  const RuleId fraction = grammar.rule({{}, {one_byte('.'), repeated(digit, 1, kMostDigits)}});
  const RuleId sign = grammar.rule({{}, {ByteSet(one_byte('+') | one_byte('-'))}});
  // Two digits: every such number is a finite double.
  const RuleId exponent =
      grammar.rule({{}, {ByteSet(one_byte('e') | one_byte('E')), sign, repeated(digit, 1, 2)}});
  number = grammar.rule({{minus, whole, fraction, exponent}});
}

void JsonPieces::add_values() {
  value = grammar.new_rule();
  object = object_of(string, value);
  array = array_of(value, 0, kUnlimited);
  for (const RuleId kind : {object, array, string, number}) grammar.add(value, {kind});
  for (const char* word : {"true", "false", "null"}) grammar.add(value, text_sequence(word));
}

JsonPieces::RuleId JsonPieces::character_in(const std::vector<CodePoints>& ranges) {
  std::vector<Sequence> alternatives;
  for (const auto& [first, last] : ranges) {
    for (const auto& [plain_first, plain_last] : kPlain) {
      const CodePoints both = {std::max(first, plain_first), std::min(last, plain_last)};
      if (both.first <= both.second) add_utf8(both, alternatives);
    }
    for (const char32_t code : {U'"', U'\\'})
      if (first <= code && code <= last) alternatives.push_back(text_sequence(escaped(code)));
    for (char32_t code = first; code <= last && code < 0x20; ++code)
      alternatives.push_back(text_sequence(escaped(code)));
  }
  return grammar.rule(std::move(alternatives));
}

JsonPieces::RuleId JsonPieces::repeated(RuleId item, std::size_t least, std::size_t most) {
  RuleId more = 0;
  if (most == kUnlimited) {
    more = grammar.new_rule();
    grammar.add(more, {});
    grammar.add(more, {item, more});
  } else {
    more = grammar.rule({{}});
    for (std::size_t i = least; i < most; ++i) more = grammar.rule({{}, {item, more}});
  }
  if (least == 0) return more;
  Sequence sequence(least, item);
  sequence.emplace_back(more);
  return grammar.rule({std::move(sequence)});
}

JsonPieces::RuleId JsonPieces::string_other_than(const std::vector<std::string_view>& texts) {
  std::vector<std::u32string> all;
  for (const std::string_view text : texts) all.push_back(code_points(text));
  return grammar.rule({{one_byte('"'), other_than({all.begin(), all.end()})}});
}

// What may follow where each of the texts could still come.
JsonPieces::RuleId JsonPieces::other_than(const std::vector<std::u32string_view>& texts) {
  std::map<char32_t, std::vector<std::u32string_view>> by_first;
  bool is_one = false;
  for (const std::u32string_view text : texts) {
    if (text.empty())
      is_one = true;
    else
      by_first[text.front()].push_back(text.substr(1));
  }
  const RuleId rule = grammar.new_rule();
  if (!is_one) grammar.add(rule, {one_byte('"')});
  std::vector<CodePoints> taken = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  for (const auto& [first, rests] : by_first) {
    const bool is_plain = first >= 0x20 && first != '"' && first != '\\';
    if (!is_plain) continue;  // would have to be escaped
    taken.emplace_back(first, first);
    Sequence sequence = text_sequence(utf8(first));
    sequence.emplace_back(other_than(rests));
    grammar.add(rule, std::move(sequence));
  }
  std::vector<Sequence> others;
  for (const CodePoints& points : other_code_points(std::move(taken))) add_utf8(points, others);
  for (Sequence& other : others) {
    other.emplace_back(rest_of_plain_string_);
    grammar.add(rule, std::move(other));
  }
  return rule;
}

JsonPieces::RuleId JsonPieces::array_of(RuleId item, std::size_t least, std::size_t most) {
  const RuleId rule = grammar.new_rule();
  if (least == 0) grammar.add(rule, {one_byte('['), space, one_byte(']')});
  if (most == 0) return rule;
  const RuleId next = grammar.rule({{one_byte(','), space, item}});
  const RuleId more = repeated(next, std::max<std::size_t>(least, 1) - 1,
                               most == kUnlimited ? kUnlimited : most - 1);
  grammar.add(rule, {one_byte('['), space, item, more, space, one_byte(']')});
  return rule;
}

JsonPieces::RuleId JsonPieces::object_of(RuleId key, RuleId member) {
  const RuleId pair = grammar.rule({{key, one_byte(':'), space, member}});
  const RuleId next = grammar.rule({{one_byte(','), space, pair}});
  return grammar.rule(
      {{one_byte('{'), space, one_byte('}')},
       {one_byte('{'), space, pair, repeated(next, 0, kUnlimited), space, one_byte('}')}});
}

JsonPieces::RuleId JsonPieces::integer_between(std::int64_t lowest, std::int64_t highest) {
  std::vector<Sequence> alternatives;
  // Numbers of one sign, by their digits.
  const auto add = [&](std::int64_t low, std::int64_t high, const Sequence& sign) {
    while (low <= high) {
      const std::string digits = std::to_string(low);
      const std::int64_t most = std::stoll(std::string(digits.size(), '9'));
      add_between(digits, std::to_string(std::min(high, most)), kDigits, sign, alternatives);
      if (most >= high) return;
      low = most + 1;
    }
  };
  add(std::max<std::int64_t>(lowest, 0), highest, {});
  add(std::max<std::int64_t>(-highest, 1), -lowest, {one_byte('-')});
  return grammar.rule(std::move(alternatives));
}

}  // namespace vl2
