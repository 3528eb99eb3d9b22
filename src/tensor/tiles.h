// SPDX-License-Identifier: MIT
// The geometry that weights, activations and the KV cache share, so that each kernel reads all of
// them as streams of tiles: 16 rows (or columns) by 32 numbers of depth, 512 numbers a tile.
#pragma once

#include <cstddef>

#include "base/aligned.h"
#include "base/scalar.h"

namespace vl2 {

inline constexpr std::size_t kTileRows = 16;
inline constexpr std::size_t kTileColumns = 16;
inline constexpr std::size_t kTileDepth = 32;
inline constexpr std::size_t kTileNumbers = kTileRows * kTileDepth;
// Two panels of 16 columns whose tiles alternate: what one call of a matmul kernel multiplies.
inline constexpr std::size_t kPairColumns = 2 * kTileColumns;
// Two tiles of rows.
inline constexpr std::size_t kBlockRows = 2 * kTileRows;

// Number type of a matmul's inputs. Sums are always fp32.
enum class Operand { f32, bf16 };

constexpr std::size_t bytes_of(Operand operand) noexcept {
  return operand == Operand::f32 ? sizeof(float) : sizeof(Bf16);
}

constexpr std::size_t tiles_of(std::size_t count, std::size_t tile) noexcept {
  return (count + tile - 1) / tile;
}

// Where a left operand keeps number k of row m: [row tile][depth tile][16 rows][32 numbers].
constexpr std::size_t left_index(std::size_t m, std::size_t k, std::size_t depth_tiles) noexcept {
  return ((m / kTileRows) * depth_tiles + k / kTileDepth) * kTileNumbers +
         (m % kTileRows) * kTileDepth + k % kTileDepth;
}

// Where a right operand keeps number k of column n, in pairs of panels whose tiles alternate:
// [pair][depth tile][panel of the pair][...], and inside a tile
//   bf16  [16 pairs of k][16 columns][2 k], as dot-product instructions read it;
//   f32   [32 k][16 columns].
constexpr std::size_t right_index(Operand operand, std::size_t n, std::size_t k,
                                  std::size_t depth_tiles) noexcept {
  const std::size_t tile =
      ((n / kPairColumns) * depth_tiles + k / kTileDepth) * 2 + n / kTileColumns % 2;
  const std::size_t column = n % kTileColumns;
  const std::size_t depth = k % kTileDepth;
  const std::size_t inside = operand == Operand::bf16
                                 ? depth / 2 * (2 * kTileColumns) + column * 2 + depth % 2
                                 : depth * kTileColumns + column;
  return tile * kTileNumbers + inside;
}

}  // namespace vl2
