// SPDX-License-Identifier: MIT
#include "text/unicode.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace vl2 {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

// How many continuation bytes a lead byte asks for, and which values the first of them may have
// (the narrower ranges exclude overlong forms, surrogates and what lies beyond U+10FFFF).
struct Lead {
  std::size_t continuations = 0;  // 0: not a lead byte
  unsigned low = 0x80;
  unsigned high = 0xBF;
};

Lead classify_lead(unsigned byte) noexcept {
  if (byte >= 0xC2 && byte <= 0xDF) return {1};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

// U+001C to U+001F are white space to Python alone.
bool is_python_space(char32_t code_point) noexcept {
  return is_white_space(code_point) || (code_point >= 0x1C && code_point <= 0x1F);
}

}  // namespace

Utf8Step utf8_step(std::string_view text, std::size_t at) noexcept {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return {Utf8State::valid, 1, first};
  const Lead lead = classify_lead(first);
  if (lead.continuations == 0) return {Utf8State::broken, 1, 0};

  unsigned low = lead.low;
  unsigned high = lead.high;
  char32_t code_point = first & (0x3Fu >> lead.continuations);
  for (std::size_t i = 1; i <= lead.continuations; ++i) {
    if (at + i == text.size()) return {Utf8State::incomplete, i, 0};
    const unsigned byte = byte_at(text, at + i);
    if (byte < low || byte > high) return {Utf8State::broken, i, 0};
    code_point = (code_point << 6) | (byte & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {Utf8State::valid, lead.continuations + 1, code_point};
}

std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text, at);
    if (step.state != Utf8State::valid) break;
    at += step.length;
  }
  return at;
}

std::string replace_broken_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t valid = valid_utf8_prefix(text);
    result.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) break;
    result.append(kReplacement);
    text.remove_prefix(utf8_step(text, 0).length);
  }
  return result;
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto tail = [&](int shift) {
    text.push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)));
  };
  if (code_point < 0x80) {
    text.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    text.push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    tail(0);
  } else if (code_point < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_white_space(char32_t code_point) noexcept {
  if (code_point <= 0x20) return code_point == 0x20 || (code_point >= 0x09 && code_point <= 0x0D);
  if (code_point >= 0x2000 && code_point <= 0x200A) return true;
  constexpr std::array<char32_t, 8> kOthers = {0x85,   0xA0,   0x1680, 0x2028,
                                               0x2029, 0x202F, 0x205F, 0x3000};
  return std::find(kOthers.begin(), kOthers.end(), code_point) != kOthers.end();
}

std::string_view strip_white_space(std::string_view text) noexcept {
  std::size_t begin = text.size();
  std::size_t end = text.size();
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    if (step.state != Utf8State::valid || !is_python_space(step.code_point)) {
      begin = std::min(begin, at);
      end = at + step.length;
    }
    at += step.length;
  }
  return begin == text.size() ? std::string_view() : text.substr(begin, end - begin);
}

}  // namespace vl2
