// SPDX-License-Identifier: MIT
#include "text/vocabulary.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "vl2/error.h"

#include "text/added_tokens.h"
#include "text/byte_level.h"
#include "text/tokenizer_file.h"

namespace vl2 {
namespace {

std::size_t token_count(const TokenizerFile& file) {
  std::size_t count = file.spellings.size();
  for (const AddedToken& token : file.added_tokens) {
    count = std::max(count, static_cast<std::size_t>(token.id) + 1);
  }
  return count;
}

}  // namespace

Vocabulary::Vocabulary(const TokenizerFile& file)
    : bytes_(token_count(file)), is_special_(bytes_.size(), false) {
  words_.reserve(file.spellings.size());
  for (std::size_t id = 0; id < file.spellings.size(); ++id) {
    auto bytes = bytes_of_spelling(file.spellings[id]);
    bytes_[id] = bytes.value_or(file.spellings[id]);
    if (bytes && !bytes->empty()) words_.emplace(*std::move(bytes), static_cast<std::int32_t>(id));
  }
  // An added token that is in the vocabulary too is written as it is, whatever its spelling.
  for (const AddedToken& token : file.added_tokens) {
    const auto id = static_cast<std::size_t>(token.id);
    is_special_[id] = token.special;
    bytes_[id] = token.text;
    if (!token.text.empty()) added_.emplace(token.text, token.id);
  }
}

std::optional<std::int32_t> Vocabulary::look_up(const Ids& ids, std::string_view text) {
  const auto found = ids.find(text);
  if (found == ids.end()) return {};
  return found->second;
}

std::string_view Vocabulary::bytes(std::int32_t id) const noexcept {
  return has(id) ? std::string_view(bytes_[static_cast<std::size_t>(id)]) : std::string_view();
}

bool Vocabulary::is_special(std::int32_t id) const noexcept {
  return has(id) && is_special_[static_cast<std::size_t>(id)];
}

std::optional<std::int32_t> Vocabulary::id_of_bytes(std::string_view bytes) const {
  return look_up(words_, bytes);
}

std::optional<std::int32_t> Vocabulary::id_of_added_token(std::string_view text) const {
  return look_up(added_, text);
}

std::array<std::int32_t, 256> Vocabulary::byte_ids(const std::string& file_name) const {
  std::array<std::int32_t, 256> ids{};
  for (unsigned value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    const auto id = id_of_bytes(std::string_view(&byte, 1));
    if (!id) {
      throw Error(ErrorCode::bad_checkpoint,
                  fmt::format("{}: field model.vocab has no token for the byte 0x{:02X} (\"{}\")",
                              file_name, value, byte_spelling(static_cast<std::uint8_t>(value))));
    }
    ids[value] = *id;
  }
  return ids;
}

}  // namespace vl2
