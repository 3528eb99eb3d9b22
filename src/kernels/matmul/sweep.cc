// SPDX-License-Identifier: MIT
#include "kernels/matmul/sweep.h"

#include <algorithm>

namespace vl2 {

ProductScope::ProductScope(const KernelSet& kernels, std::size_t rows) : kernel_(*kernels.matmul) {
  kernel_.configure(std::min(rows, kTileRows));
}

void sweep(const Sweep& work) {
  alignas(64) float sums[kBlockRows * kPairColumns];
  const auto& [kernels, x, weight, matrix, rows, pairs, epilogue, after] = work;
  if (rows.begin >= rows.end) return;
  // The next pair is fetched while this one multiplies, an equal part with every block.
  const std::size_t ahead_bytes =
      round_up(weight.pair_bytes() / tiles_of(rows.end - rows.begin, kBlockRows), 64);
  for (std::size_t pair = pairs.begin; pair < pairs.end; ++pair) {
    const std::size_t column = pair * kPairColumns;
    const std::byte* ahead = pair + 1 < pairs.end ? weight.pair(matrix, pair + 1) : after;
    for (std::size_t row = rows.begin; row < rows.end; row += kBlockRows) {
      const std::size_t count = std::min(kBlockRows, rows.end - row);
      kernels.matmul->run({.left = x.line(0, row, 0),
                           .left_row_tile_bytes = x.row_tile_bytes(),
                           .right = weight.pair(matrix, pair),
                           .depth_tiles = x.depth_tiles(),
                           .rows = count,
                           .panels = weight.columns() - column > kTileColumns ? 2U : 1U,
                           .out = sums,
                           .ahead = ahead,
                           .ahead_bytes = ahead_bytes,
                           .stream = rows.end - rows.begin <= kTileRows});
      if (ahead != nullptr) ahead += ahead_bytes;
      kernels.rowwise->finish_block(epilogue, sums, {row, count, column});
    }
  }
}

}  // namespace vl2
