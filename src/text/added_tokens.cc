// SPDX-License-Identifier: MIT
#include "text/added_tokens.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/regex.h"
#include "text/unicode.h"

namespace vl2 {
namespace {

// The first byte of the code point that ends at `end`.
std::size_t step_back(std::string_view text, std::size_t end) {
  std::size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) {
    --begin;
  }
  return begin;
}

bool is_space_at(std::string_view text, std::size_t at) {
  const Utf8Step step = utf8_step(text, at);
  return step.state == Utf8State::valid && is_white_space(step.code_point);
}

// Where the white space that ends at `end` begins, but not before `lowest`.
std::size_t space_begin(std::string_view text, std::size_t lowest, std::size_t end) {
  while (end > lowest && is_space_at(text, step_back(text, end))) end = step_back(text, end);
  return std::max(lowest, end);
}

std::size_t space_end(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_space_at(text, begin)) begin += utf8_step(text, begin).length;
  return begin;
}

}  // namespace

void AddedTokens::Trie::add(std::string_view text, std::size_t token) {
  starts_[static_cast<unsigned char>(text.front())] = true;
  std::uint32_t node = 0;
  for (const char byte : text) {
    const std::uint64_t edge = (std::uint64_t{node} << 8) | static_cast<unsigned char>(byte);
    const auto [found, is_new] =
        edges_.try_emplace(edge, static_cast<std::uint32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(kNone);
    node = found->second;
  }
  if (tokens_[node] == kNone) tokens_[node] = token;
}

std::optional<std::size_t> AddedTokens::Trie::longest_prefix(std::string_view text) const {
  std::size_t best = kNone;
  std::uint32_t node = 0;
  for (const char byte : text) {
    const auto edge = edges_.find((std::uint64_t{node} << 8) | static_cast<unsigned char>(byte));
    if (edge == edges_.end()) break;
    node = edge->second;
    if (tokens_[node] != kNone) best = tokens_[node];
  }
  if (best == kNone) return {};
  return best;
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), word_character_(R"([\p{L}\p{N}\p{M}\p{Pc}])", "added tokens") {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].text.empty()) continue;
    (tokens_[i].normalized ? normalized_ : verbatim_).add(tokens_[i].text, i);
  }
}

std::vector<TextSegment> AddedTokens::split(std::string_view text, RegexScratch& scratch) const {
  std::vector<TextSegment> segments;
  split_by(verbatim_, text, scratch, segments);
  if (normalized_.is_empty()) return segments;
  std::vector<TextSegment> result;
  for (const TextSegment& segment : segments) {
    if (segment.id >= 0) {
      result.push_back(segment);
    } else {
      split_by(normalized_, segment.text, scratch, result);
    }
  }
  return result;
}

void AddedTokens::split_by(const Trie& trie, std::string_view text, RegexScratch& scratch,
                           std::vector<TextSegment>& segments) const {
  std::size_t covered = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto found =
        trie.may_start(text[at]) ? trie.longest_prefix(text.substr(at)) : std::nullopt;
    if (!found) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[*found];
    std::size_t begin = at;
    std::size_t end = at + token.text.size();
    at = end;
    if (token.single_word && touches_word(text, begin, end, scratch)) continue;
    if (token.lstrip) begin = space_begin(text, covered, begin);
    if (token.rstrip) end = space_end(text, end);
    if (begin > covered) segments.push_back({text.substr(covered, begin - covered), -1});
    segments.push_back({text.substr(begin, end - begin), token.id});
    covered = end;
    at = end;
  }
  if (covered < text.size()) segments.push_back({text.substr(covered), -1});
}

bool AddedTokens::touches_word(std::string_view text, std::size_t begin, std::size_t end,
                               RegexScratch& scratch) const {
  const auto is_word = [&](std::size_t at) {
    const Utf8Step step = utf8_step(text, at);
    return step.state == Utf8State::valid &&
           word_character_.find(text.substr(at, step.length), 0, scratch).has_value();
  };
  return (begin > 0 && is_word(step_back(text, begin))) || (end < text.size() && is_word(end));
}

}  // namespace vl2
