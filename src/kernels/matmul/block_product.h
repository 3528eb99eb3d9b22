// SPDX-License-Identifier: MIT
// What a matmul kernel is asked for. Included by files that are compiled for one instruction set,
// so it must not bring inline functions with it (tools/check_symbols.py).
#pragma once

#include <cstddef>

namespace vl2 {

// A block of up to 32 rows by 32 columns: out = left · right, or out += left · right.
struct BlockProduct {
  const std::byte* left = nullptr;      // row tile 0: depth_tiles tiles (tensor/tiles.h)
  std::size_t left_row_tile_bytes = 0;  // from row tile 0 to row tile 1
  const std::byte* right = nullptr;     // a pair of panels: depth_tiles times two tiles
  std::size_t depth_tiles = 0;
  std::size_t rows = 0;              // 1..32 that matter; up to 16, or all 32, may be written
  std::size_t panels = 2;            // 1: only the first panel of the pair is multiplied
  float* out = nullptr;              // [32][32], 64-byte aligned; column n of panel p at 16p + n
  bool accumulate = false;           // add to what is in `out`
  const std::byte* ahead = nullptr;  // what will be read next, fetched meanwhile; or null
  std::size_t ahead_bytes = 0;       // how much of it
  // `right` comes from memory for these few rows alone: fetch it shortly before its use.
  bool stream = false;
};

}  // namespace vl2
