// SPDX-License-Identifier: MIT
#include "text/byte_level.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/unicode.h"

namespace vl2 {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<char16_t, 256> spelling{};  // [byte] -> code point
  std::array<std::int16_t, 324> byte{};  // [code point] -> byte, -1 where there is none
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  alphabet.byte.fill(-1);
  char16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char16_t code = stands_for_itself(byte) ? static_cast<char16_t>(byte) : next++;
    alphabet.spelling[byte] = code;
    alphabet.byte[code] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::string byte_spelling(std::uint8_t byte) {
  std::string spelling;
  append_utf8(spelling, kAlphabet.spelling[byte]);
  return spelling;
}

std::optional<std::string> bytes_of_spelling(std::string_view spelling) {
  std::string bytes;
  bytes.reserve(spelling.size());
  for (std::size_t at = 0; at < spelling.size();) {
    const Utf8Step step = utf8_step(spelling, at);
    if (step.state != Utf8State::valid || step.code_point >= kAlphabet.byte.size()) return {};
    const std::int16_t byte = kAlphabet.byte[step.code_point];
    if (byte < 0) return {};
    bytes.push_back(static_cast<char>(byte));
    at += step.length;
  }
  return bytes;
}

}  // namespace vl2
