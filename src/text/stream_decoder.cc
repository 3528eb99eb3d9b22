// SPDX-License-Identifier: MIT
#include "text/stream_decoder.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "text/tokenizer.h"
#include "text/unicode.h"

namespace vl2 {

StreamDecoder::StreamDecoder(Tokenizer tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string StreamDecoder::push(std::int32_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  held_back_.append(tokenizer_.bytes(id));

  // Only the last sequence can be incomplete.
  const std::string_view bytes = held_back_;
  std::size_t certain = 0;
  while (certain < bytes.size()) {
    const Utf8Step step = utf8_step(bytes, certain);
    if (step.state == Utf8State::incomplete) break;
    certain += step.length;
  }
  std::string text = replace_broken_utf8(bytes.substr(0, certain));
  held_back_.erase(0, certain);
  return text;
}

std::string StreamDecoder::flush() {
  std::string text = replace_broken_utf8(held_back_);
  held_back_.clear();
  return text;
}

}  // namespace vl2
