// SPDX-License-Identifier: MIT
#include "text/pretokenizer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "vl2/error.h"

#include "text/json_field.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace vl2 {
namespace {

// What ByteLevel splits by when `use_regex` is on: GPT-2's pattern.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

SplitBehavior parse_behavior(const JsonField& field) {
  using Named = std::pair<std::string_view, SplitBehavior>;
  constexpr std::array<Named, 5> kNames = {{
      {"Isolated", SplitBehavior::isolated},
      {"Removed", SplitBehavior::removed},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous},
  }};
  const std::string& name = field.string();
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const Named& named) { return named.first == name; });
  if (found == kNames.end()) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: split behavior \"{}\" is not known", field.where(), name));
  }
  return found->second;
}

Regex parse_pattern(const JsonField& field) {
  if (const auto regex = field.find("Regex")) return Regex(regex->string(), regex->where());
  const JsonField literal = field.at("String");
  if (literal.string().empty()) literal.fail("must not be empty");
  return Regex::literal(literal.string());
}

// A stretch of text, matched or between matches.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_match = false;
};

// All of `text` as stretches in order. Empty matches count as stretches too, except right after
// another match.
std::vector<Stretch> find_stretches(const Regex& pattern, std::string_view text,
                                    RegexScratch& scratch) {
  std::vector<Stretch> stretches;
  std::size_t covered = 0;
  std::size_t from = 0;
  bool after_match = false;
  while (from <= text.size()) {
    const auto match = pattern.find(text, from, scratch);
    if (!match) break;
    const bool is_empty = match->begin == match->end;
    if (!is_empty || !after_match || match->end != covered) {
      if (covered != match->begin) stretches.push_back({covered, match->begin, false});
      stretches.push_back({match->begin, match->end, true});
      covered = match->end;
      after_match = true;
    }
    from = match->end;
    if (is_empty) from += from < text.size() ? utf8_step(text, from).length : 1;
  }
  if (covered != text.size()) stretches.push_back({covered, text.size(), false});
  return stretches;
}

// Joins each match to what comes before it. Of matches in a row only the first is joined.
std::vector<Stretch> merge_with_previous(const std::vector<Stretch>& stretches) {
  std::vector<Stretch> merged;
  bool previous_is_match = false;
  for (const Stretch& stretch : stretches) {
    if (stretch.is_match && !previous_is_match && !merged.empty()) {
      merged.back().end = stretch.end;
    } else {
      merged.push_back(stretch);
    }
    previous_is_match = stretch.is_match;
  }
  return merged;
}

// The mirror image: each match to what comes after it.
std::vector<Stretch> merge_with_next(const std::vector<Stretch>& stretches) {
  std::vector<Stretch> merged;
  bool next_is_match = false;
  for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
    if (stretch->is_match && !next_is_match && !merged.empty()) {
      merged.back().begin = stretch->begin;
    } else {
      merged.push_back(*stretch);
    }
    next_is_match = stretch->is_match;
  }
  std::reverse(merged.begin(), merged.end());
  return merged;
}

// Joins matches in a row.
std::vector<Stretch> merge_contiguous(const std::vector<Stretch>& stretches) {
  std::vector<Stretch> merged;
  for (const Stretch& stretch : stretches) {
    if (!merged.empty() && merged.back().is_match == stretch.is_match) {
      merged.back().end = stretch.end;
    } else {
      merged.push_back(stretch);
    }
  }
  return merged;
}

std::vector<Stretch> apply_behavior(std::vector<Stretch> stretches, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::isolated:
      break;
    case SplitBehavior::removed:
      std::erase_if(stretches, [](const Stretch& stretch) { return stretch.is_match; });
      break;
    case SplitBehavior::merged_with_previous:
      return merge_with_previous(stretches);
    case SplitBehavior::merged_with_next:
      return merge_with_next(stretches);
    case SplitBehavior::contiguous:
      return merge_contiguous(stretches);
  }
  return stretches;
}

}  // namespace

Pretokenizer::Pretokenizer(const JsonField& field) {
  if (field.at("type").string() != "Sequence") {
    add_step(field, true);
    return;
  }
  const std::vector<JsonField> steps = field.at("pretokenizers").elements();
  if (steps.empty()) field.fail("has no steps");
  for (std::size_t i = 0; i < steps.size(); ++i) add_step(steps[i], i + 1 == steps.size());
}

void Pretokenizer::add_step(const JsonField& field, bool is_last) {
  const std::string& type = field.at("type").string();
  if (is_last && type != "ByteLevel") {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: the last pre-tokenizer must be ByteLevel, not \"{}\"",
                            field.where(), type));
  }
  if (type == "Split") {
    add_split(field);
  } else if (type == "Digits") {
    const bool each = field.at("individual_digits").boolean();
    steps_.push_back({Regex(R"(\p{N})", field.where()),
                      each ? SplitBehavior::isolated : SplitBehavior::contiguous, false});
  } else if (type == "ByteLevel") {
    add_byte_level(field, is_last);
  } else {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: pre-tokenizer type \"{}\" is not known; the tokenizers of "
                            "DeepSeek-VL2 use Split, Digits and ByteLevel",
                            field.where(), type));
  }
}

void Pretokenizer::add_split(const JsonField& field) {
  steps_.push_back({parse_pattern(field.at("pattern")), parse_behavior(field.at("behavior")),
                    field.boolean_or("invert", false)});
}

void Pretokenizer::add_byte_level(const JsonField& field, bool is_last) {
  if (!is_last) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: ByteLevel must be the last pre-tokenizer", field.where()));
  }
  if (field.boolean_or("add_prefix_space", true)) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: add_prefix_space true is not supported", field.where()));
  }
  if (field.boolean_or("use_regex", true)) {
    steps_.push_back({Regex(kByteLevelPattern, field.where()), SplitBehavior::isolated, false});
  }
}

void Pretokenizer::split(std::string_view text, RegexScratch& scratch,
                         std::vector<std::string_view>& pieces) const {
  while (!text.empty()) {
    const std::size_t valid = valid_utf8_prefix(text);
    if (valid > 0) split_valid(text.substr(0, valid), scratch, pieces);
    text.remove_prefix(valid);
    std::size_t broken = 0;
    while (broken < text.size()) {
      const Utf8Step step = utf8_step(text, broken);
      if (step.state == Utf8State::valid) break;
      broken += step.length;
    }
    if (broken > 0) pieces.push_back(text.substr(0, broken));
    text.remove_prefix(broken);
  }
}

void Pretokenizer::split_valid(std::string_view text, RegexScratch& scratch,
                               std::vector<std::string_view>& pieces) const {
  std::vector<std::string_view> current = {text};
  std::vector<std::string_view> next;
  for (const Step& step : steps_) {
    next.clear();
    for (const std::string_view piece : current) apply(step, piece, scratch, next);
    current.swap(next);
  }
  pieces.insert(pieces.end(), current.begin(), current.end());
}

void Pretokenizer::apply(const Step& step, std::string_view text, RegexScratch& scratch,
                         std::vector<std::string_view>& pieces) {
  std::vector<Stretch> stretches = find_stretches(step.pattern, text, scratch);
  if (step.invert) {
    for (Stretch& stretch : stretches) stretch.is_match = !stretch.is_match;
  }
  for (const Stretch& stretch : apply_behavior(std::move(stretches), step.behavior)) {
    if (stretch.begin == stretch.end) continue;
    pieces.push_back(text.substr(stretch.begin, stretch.end - stretch.begin));
  }
}

}  // namespace vl2
