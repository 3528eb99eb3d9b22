// SPDX-License-Identifier: MIT
// The parts that all grammars of JSON texts are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "server/byte_grammar.h"

namespace vl2 {

// First and last of some code points.
using CodePoints = std::pair<char32_t, char32_t>;

inline constexpr char32_t kLastCodePoint = 0x10FFFF;
inline constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

// Those that are in none of the ranges.
std::vector<CodePoints> other_code_points(std::vector<CodePoints> ranges);

class JsonPieces {
 public:
  using RuleId = ByteGrammar::RuleId;

  // `grammar` is borrowed.
  explicit JsonPieces(ByteGrammar& grammar);

  ByteGrammar& grammar;
  RuleId space;      // white space, or nothing
  RuleId character;  // of a string, escaped where it must be
  RuleId string;
  RuleId integer;
  RuleId number;
  RuleId value;
  RuleId object;
  RuleId array;

  // One character of a string that is in a range, written as JSON writes it.
  RuleId character_in(const std::vector<CodePoints>& ranges);
  // `item` from `least` to `most` times in a row.
  RuleId repeated(RuleId item, std::size_t least, std::size_t most);
  // A whole string that is none of these (UTF-8); in it nothing is escaped.
  RuleId string_other_than(const std::vector<std::string_view>& texts);
  // [item, item, ...]
  RuleId array_of(RuleId item, std::size_t least, std::size_t most);
  // Whole numbers from `lowest` to `highest`, both within 18 digits.
  RuleId integer_between(std::int64_t lowest, std::int64_t highest);

 private:
  void add_numbers();
  void add_values();
  RuleId object_of(RuleId key, RuleId member);
  RuleId other_than(const std::vector<std::u32string_view>& texts);

  RuleId rest_of_plain_string_;  // characters without escapes, and the quote
};

}  // namespace vl2
