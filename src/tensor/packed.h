// SPDX-License-Identifier: MIT
// Activations ready to be the left operand of a matmul.
#pragma once

#include <cstddef>

#include "tensor/tiles.h"

namespace vl2 {

// `stack` matrices [count][width] of `operand` numbers in the order of left_index(), rounded from
// fp32. Rows beyond `count` up to a multiple of 16 and columns beyond `width` up to a multiple of
// 32 are zero. A stack of more than one holds a matrix a head. A view: memory is an Arena's.
struct Packed {
  std::byte* tiles = nullptr;
  Operand operand = Operand::bf16;
  std::size_t count = 0;
  std::size_t width = 0;
  std::size_t stack = 1;

  std::size_t depth_tiles() const noexcept { return tiles_of(width, kTileDepth); }
  std::size_t row_tiles() const noexcept { return tiles_of(count, kTileRows); }
  std::size_t tile_bytes() const noexcept { return kTileNumbers * bytes_of(operand); }
  // From one tile of 16 rows to the next.
  std::size_t row_tile_bytes() const noexcept { return depth_tiles() * tile_bytes(); }
  std::size_t matrix_bytes() const noexcept { return row_tiles() * row_tile_bytes(); }
  std::size_t total_bytes() const noexcept { return stack * matrix_bytes(); }

  // Where row m of matrix i has its numbers k .. k + 31, for k a multiple of 32.
  std::byte* line(std::size_t i, std::size_t m, std::size_t k) const noexcept {
    return tiles + i * matrix_bytes() + left_index(m, k, depth_tiles()) * bytes_of(operand);
  }
  // One matrix of the stack.
  Packed matrix(std::size_t i) const noexcept {
    return {tiles + i * matrix_bytes(), operand, count, width, 1};
  }
};

}  // namespace vl2
