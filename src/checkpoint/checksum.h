// SPDX-License-Identifier: MIT
// CRC-32 (ISO 3309), to notice files that were damaged on a disk or on their way.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vl2 {

// Of everything so far and `bytes`; 0 is the checksum of nothing.
std::uint32_t crc32_of(std::span<const std::uint8_t> bytes, std::uint32_t so_far = 0) noexcept;

// Eight lower-case hexadecimal digits.
std::string checksum_text(std::uint32_t checksum);

}  // namespace vl2
