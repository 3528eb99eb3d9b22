// SPDX-License-Identifier: MIT
// The alphabet of byte-level vocabularies: a tokenizer.json spells each byte as one printable
// character. Bytes that are printable Latin-1 stand for themselves, the other 68 are numbered
// from U+0100 on, so that a space is spelled U+0120.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vl2 {

// The character that spells `byte`, in UTF-8.
std::string byte_spelling(std::uint8_t byte);

// The bytes that a vocabulary entry stands for, or nothing when a character of it spells no byte
// (as in special tokens, which are written as they are).
std::optional<std::string> bytes_of_spelling(std::string_view spelling);

}  // namespace vl2
