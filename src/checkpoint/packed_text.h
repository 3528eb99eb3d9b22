// SPDX-License-Identifier: MIT
// The words in which the shards of a packed folder describe their tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tensor/weight.h"

namespace vl2 {

// "int4 columns 3584 depth 1280 stack 64".
std::string packed_matrix_text(WeightFormat format, std::size_t columns, std::size_t depth,
                               std::size_t stack);

// "DESCRIPTION crc32 89abcdef"; always as long as the description asks for.
std::string with_checksum(std::string_view description, std::uint32_t checksum);
// The reverse; the checksum is missing where there is none.
std::pair<std::string, std::optional<std::uint32_t>> split_description(std::string_view text);

// Eight hexadecimal digits.
std::optional<std::uint32_t> checksum_from_text(std::string_view text);

}  // namespace vl2
