// SPDX-License-Identifier: MIT
#include "server/base64.h"

#include <array>

namespace vl2 {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> values() {
  std::array<std::uint8_t, 256> table{};
  for (auto& value : table) value = kNone;
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    table[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  return table;
}

constexpr auto kValues = values();

}  // namespace

std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  const std::size_t digits = text.size() - padding;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(text[i])];
    if (value == kNone) return {};
    group = group << 6 | value;
    if (i % 4 == 3) {
      for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(group >> shift));
      group = 0;
    }
  }
  if (padding == 1) {
    if ((group & 3U) != 0) return {};
    bytes.push_back(static_cast<std::uint8_t>(group >> 10));
    bytes.push_back(static_cast<std::uint8_t>(group >> 2));
  } else if (padding == 2) {
    if ((group & 15U) != 0) return {};
    bytes.push_back(static_cast<std::uint8_t>(group >> 4));
  }
  return bytes;
}

std::optional<std::string_view> base64_of_data_url(std::string_view url) {
  constexpr std::string_view kScheme = "data:";
  constexpr std::string_view kEncoding = ";base64";
  constexpr std::size_t kLongestHead = 256;
  if (!url.starts_with(kScheme)) return {};
  const std::size_t comma = url.substr(0, kLongestHead).find(',');
  if (comma == url.npos || !url.substr(0, comma).ends_with(kEncoding)) return {};
  return url.substr(comma + 1);
}

}  // namespace vl2
