// SPDX-License-Identifier: MIT
#include "checkpoint/packed_text.h"

#include <charconv>

#include <fmt/format.h>

#include "checkpoint/checksum.h"

namespace vl2 {
namespace {

constexpr std::string_view kWord = " crc32 ";
constexpr std::size_t kDigits = 8;

}  // namespace

std::string packed_matrix_text(WeightFormat format, std::size_t columns, std::size_t depth,
                               std::size_t stack) {
  return fmt::format("{} columns {} depth {} stack {}", to_string(format), columns, depth, stack);
}

std::string with_checksum(std::string_view description, std::uint32_t checksum) {
  return fmt::format("{}{}{}", description, kWord, checksum_text(checksum));
}

std::pair<std::string, std::optional<std::uint32_t>> split_description(std::string_view text) {
  const std::size_t end = kWord.size() + kDigits;
  if (text.size() < end || text.substr(text.size() - end, kWord.size()) != kWord)
    return {std::string(text), std::nullopt};
  return {std::string(text.substr(0, text.size() - end)),
          checksum_from_text(text.substr(text.size() - kDigits))};
}

std::optional<std::uint32_t> checksum_from_text(std::string_view text) {
  std::uint32_t checksum = 0;
  const char* begin = text.begin();
  const char* end = text.end();
  const auto [stopped, error] = std::from_chars(begin, end, checksum, 16);
  if (text.size() != kDigits || error != std::errc() || stopped != end) return std::nullopt;
  return checksum;
}

}  // namespace vl2
