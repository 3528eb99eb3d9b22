// SPDX-License-Identifier: MIT
// Regular expressions as tokenizer.json files mean them: Oniguruma's Ruby syntax over UTF-8, run
// by PCRE2 with Unicode properties and its JIT compiler. Where the two differ, the pattern is
// translated: `$` and `^` are line anchors, `\s` is exactly Unicode's White_Space.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vl2 {

struct RegexMatch {
  std::size_t begin = 0;  // bytes from the start of the text
  std::size_t end = 0;
};

// What a search writes to. One a thread; may serve any number of Regex objects.
class RegexScratch {
 public:
  RegexScratch();
  RegexScratch(RegexScratch&&) noexcept;
  RegexScratch& operator=(RegexScratch&&) noexcept;
  ~RegexScratch();

 private:
  friend class Regex;
  struct State;
  std::unique_ptr<State> state_;
};

// Immutable and shared by threads; movable.
class Regex {
 public:
  // `where` names the file and field in errors. Throws Error{bad_checkpoint} on bad patterns and
  // Error{unsupported} on nested character classes.
  Regex(std::string_view pattern, const std::string& where);

  // Finds exactly `text`, which must not be empty.
  static Regex literal(std::string_view text);

  // The leftmost match that begins at or after byte `from`. `text` must be valid UTF-8 and `from`
  // the start of a code point (unchecked). Look-behind sees what is before `from`. Throws
  // Error{unsupported} when the pattern backtracks beyond reason.
  std::optional<RegexMatch> find(std::string_view text, std::size_t from,
                                 RegexScratch& scratch) const;

 private:
  struct Code;
  explicit Regex(std::shared_ptr<const Code> code);

  std::shared_ptr<const Code> code_;
};

}  // namespace vl2
