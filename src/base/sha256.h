// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4), to name pictures and files by their content. Not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace vl2 {

std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> bytes);

// The digest of `bytes` as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::uint8_t> bytes);

}  // namespace vl2
