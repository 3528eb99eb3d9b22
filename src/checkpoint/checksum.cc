// SPDX-License-Identifier: MIT
#include "checkpoint/checksum.h"

#include <fmt/format.h>
#include <zlib.h>

namespace vl2 {

std::uint32_t crc32_of(std::span<const std::uint8_t> bytes, std::uint32_t so_far) noexcept {
  return static_cast<std::uint32_t>(crc32_z(so_far, bytes.data(), bytes.size()));
}

std::string checksum_text(std::uint32_t checksum) { return fmt::format("{:08x}", checksum); }

}  // namespace vl2
