// SPDX-License-Identifier: MIT
// Base64 of RFC 4648, section 4, and the data: URLs that carry it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vl2 {

// Strict: whole groups of four, padded, without line breaks, unused bits zero. Nothing otherwise.
std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

// The base64 text of "data:MEDIA/TYPE;base64,TEXT", with any parameters between; nothing for other
// texts.
std::optional<std::string_view> base64_of_data_url(std::string_view url);

}  // namespace vl2
