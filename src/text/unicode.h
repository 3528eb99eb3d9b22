// SPDX-License-Identifier: MIT
// The little Unicode this floor needs: UTF-8 with its broken forms, white space, stripping.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vl2 {

enum class Utf8State {
  valid,       // a whole code point
  broken,      // bytes that no continuation can repair
  incomplete,  // the text ends inside a sequence that was right so far
};

// One step through UTF-8 text. For broken and incomplete sequences `length` is that of the maximal
// subpart of an ill-formed sequence (Unicode 3.9, D93b), which decoders replace by one U+FFFD.
struct Utf8Step {
  Utf8State state = Utf8State::valid;
  std::size_t length = 1;   // bytes, at least 1
  char32_t code_point = 0;  // meaningful when valid
};

// Reads at `at`, which must be below text.size().
Utf8Step utf8_step(std::string_view text, std::size_t at) noexcept;

// Length of the longest valid UTF-8 that `text` starts with.
std::size_t valid_utf8_prefix(std::string_view text) noexcept;

// U+FFFD in UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Each maximal broken sequence, and an incomplete one at the end, becomes one U+FFFD.
std::string replace_broken_utf8(std::string_view text);

void append_utf8(std::string& text, char32_t code_point);

// Unicode's White_Space property, which is also what `\s` means in a tokenizer's patterns.
bool is_white_space(char32_t code_point) noexcept;

// Python's str.strip(): White_Space and the separators U+001C to U+001F, at both ends.
std::string_view strip_white_space(std::string_view text) noexcept;

}  // namespace vl2
