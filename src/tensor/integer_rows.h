// SPDX-License-Identifier: MIT
// Activations rounded to 8 bits, for products of integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/tiles.h"

namespace vl2 {

// Depth of a tile of integers: a row of it is a cache line.
inline constexpr std::size_t kIntegerDepth = 64;

// x[m][k] is about codes[m][k] * scales[m], codes -127..127, in tiles
// [row tile][depth tile][16 rows][64 codes]. Codes beyond the width are zero; rows beyond `count`
// up to a multiple of 16 hold anything. A view: memory is an Arena's.
struct IntegerRows {
  std::int8_t* codes = nullptr;
  std::span<float> scales;       // [count]
  std::span<std::int32_t> sums;  // [count], of a row's codes
  std::size_t count = 0;
  std::size_t width = 0;

  std::size_t depth_tiles() const noexcept { return tiles_of(width, kIntegerDepth); }
  // From one tile of 16 rows to the next.
  std::size_t row_tile_bytes() const noexcept { return depth_tiles() * kTileRows * kIntegerDepth; }
  // Where row m has its codes k .. k + 63, for k a multiple of 64.
  std::int8_t* line(std::size_t m, std::size_t k) const noexcept {
    return codes + m / kTileRows * row_tile_bytes() +
           (k / kIntegerDepth * kTileRows + m % kTileRows) * kIntegerDepth;
  }
};

}  // namespace vl2
