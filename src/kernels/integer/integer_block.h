// SPDX-License-Identifier: MIT
// What an integer kernel is asked for. Included by files that are compiled for one instruction set,
// so it must not bring inline functions with it (tools/check_symbols.py).
#pragma once

#include <cstddef>
#include <cstdint>

namespace vl2 {

// A block of up to 32 rows by 32 columns of sums over the whole depth.
struct IntegerBlock {
  const std::int8_t* left = nullptr;    // row tile 0 (tensor/integer_rows.h)
  std::size_t left_row_tile_bytes = 0;  // from row tile 0 to row tile 1
  const std::byte* right = nullptr;     // depth_tiles tiles, as the kernel's expand() makes them
  std::size_t depth_tiles = 0;          // of 64 k
  std::size_t rows = 0;                 // 1..32 that matter; up to 16, or all 32, may be written
  std::int32_t* out = nullptr;          // [32][32], 64-byte aligned
};

}  // namespace vl2
