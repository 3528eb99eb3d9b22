// SPDX-License-Identifier: MIT
// Tokens that are found in text as they are written, before any splitting and merging.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/regex.h"

namespace vl2 {

struct AddedToken {
  std::int32_t id = 0;
  std::string text;
  bool special = false;      // left out by decoding that skips special tokens
  bool normalized = false;   // found in normalised text, after those that are not
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and after it
  bool single_word = false;  // only where no word character touches it
};

// A stretch of text between added tokens, or one of them.
struct TextSegment {
  std::string_view text;
  std::int32_t id = -1;  // -1: ordinary text
};

// Immutable and shared by threads; movable.
class AddedTokens {
 public:
  // Tokens with empty text are ignored.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  // All of `text` in order, without empty stretches. Matches are leftmost, then longest; tokens
  // that are not `normalized` are matched first, over the whole text, the others in what is left.
  std::vector<TextSegment> split(std::string_view text, RegexScratch& scratch) const;

 private:
  // A trie over bytes. Edges live in one hash table, so that a wide alphabet costs nothing.
  class Trie {
   public:
    void add(std::string_view text, std::size_t token);
    bool is_empty() const { return tokens_.size() <= 1; }
    // The longest entry that `text` starts with, as its token.
    std::optional<std::size_t> longest_prefix(std::string_view text) const;
    bool may_start(char byte) const { return starts_[static_cast<unsigned char>(byte)]; }

   private:
    static constexpr std::size_t kNone = SIZE_MAX;
    std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // [node | byte] -> node
    std::vector<std::size_t> tokens_ = {kNone};               // [node] -> token that ends there
    std::vector<bool> starts_ = std::vector<bool>(256, false);
  };

  void split_by(const Trie& trie, std::string_view text, RegexScratch& scratch,
                std::vector<TextSegment>& segments) const;
  bool touches_word(std::string_view text, std::size_t begin, std::size_t end,
                    RegexScratch& scratch) const;

  std::vector<AddedToken> tokens_;
  Trie verbatim_;    // not normalized
  Trie normalized_;  // normalized
  Regex word_character_;
};

}  // namespace vl2
