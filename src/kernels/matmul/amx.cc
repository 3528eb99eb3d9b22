// SPDX-License-Identifier: MIT
// AMX-BF16: blocks of one or two row tiles by one or two panels. TDPBF16PS has the portable order.
#include "kernels/matmul/amx_tile.h"
#include "kernels/matmul/kernel_functions.h"

namespace vl2::matmul_functions {
namespace {

// Tiles 0..3 hold sums [row tile][panel], 4 and 5 the left operand, 6 and 7 the panels.
constexpr int kLeftTile = 4;
constexpr int kRightTile = 6;
constexpr std::size_t kTileBytes = 1024;
constexpr std::size_t kRowBytes = 64;
constexpr std::size_t kLine = 64;
constexpr std::size_t kOutBytes = 128;  // from row to row of `out`
constexpr std::size_t kTileRows = 16;
// How far ahead a stream of weights from memory is fetched.
constexpr std::size_t kStreamAhead = 2048;
// After some 2200 cycles without a tile store the next one takes 700 to 900 cycles more, on the
// processors measured. A store nobody reads every few steps keeps the path awake.
constexpr std::size_t kStepsBetweenStores = 8;
alignas(64) thread_local std::byte t_nobody_reads[kTileBytes];

template <int Rows, int Panels>
[[gnu::always_inline]] inline void begin_sums(const BlockProduct& product) {
  if (!product.accumulate) {
    tile_zero<0>();
    if constexpr (Panels > 1) tile_zero<1>();
    if constexpr (Rows > 1) tile_zero<2>();
    if constexpr (Rows > 1 && Panels > 1) tile_zero<3>();
    return;
  }
  float* second = product.out + kTileRows * 2 * kTileRows;
  tile_load<0>(product.out, kOutBytes);
  if constexpr (Panels > 1) tile_load<1>(product.out + 16, kOutBytes);
  if constexpr (Rows > 1) tile_load<2>(second, kOutBytes);
  if constexpr (Rows > 1 && Panels > 1) tile_load<3>(second + 16, kOutBytes);
}

template <int Rows, int Panels>
[[gnu::always_inline]] inline void end_sums(const BlockProduct& product) {
  float* second = product.out + kTileRows * 2 * kTileRows;
  tile_store<0>(product.out, kOutBytes);
  if constexpr (Panels > 1) tile_store<1>(product.out + 16, kOutBytes);
  if constexpr (Rows > 1) tile_store<2>(second, kOutBytes);
  if constexpr (Rows > 1 && Panels > 1) tile_store<3>(second + 16, kOutBytes);
}

[[gnu::always_inline]] inline void fetch_stream(const std::byte* right) {
  for (std::size_t at = 0; at < 2 * kTileBytes; at += kLine)
    __builtin_prefetch(right + kStreamAhead + at, 0, 3);
}
[[gnu::always_inline]] inline void fetch_lines(const std::byte* from, std::size_t lines) {
  for (std::size_t line = 0; line < lines; ++line) __builtin_prefetch(from + line * kLine, 0, 2);
}

template <int Rows, int Panels>
void multiply(const BlockProduct& product) {
  begin_sums<Rows, Panels>(product);
  const std::byte* left = product.left;
  const std::byte* second = left + product.left_row_tile_bytes;
  const std::byte* right = product.right;
  const std::byte* ahead = product.ahead;
  const std::size_t fetches = product.depth_tiles * kLine;
  const std::size_t lines = ahead == nullptr ? 0 : (product.ahead_bytes + fetches - 1) / fetches;
  std::byte* nobody_reads = t_nobody_reads;
  for (std::size_t step = 0; step < product.depth_tiles; ++step) {
    if (Rows == 1 && product.stream) {
      fetch_stream(right);
    } else {
      fetch_lines(ahead, lines);
      ahead += lines * kLine;
    }
    tile_load<kRightTile>(right, kRowBytes);
    tile_load<kLeftTile>(left, kRowBytes);
    tile_dot_bf16<0, kLeftTile, kRightTile>();
    if constexpr (Panels > 1) {
      tile_load<kRightTile + 1, kTileBytes>(right, kRowBytes);
      tile_dot_bf16<1, kLeftTile, kRightTile + 1>();
    }
    if constexpr (Rows > 1) {
      tile_load<kLeftTile + 1>(second, kRowBytes);
      tile_dot_bf16<2, kLeftTile + 1, kRightTile>();
      if constexpr (Panels > 1) tile_dot_bf16<3, kLeftTile + 1, kRightTile + 1>();
    }
    if (step % kStepsBetweenStores == kStepsBetweenStores - 1)
      tile_store<kLeftTile>(nobody_reads, kRowBytes);
    left += kTileBytes;
    second += kTileBytes;
    right += 2 * kTileBytes;
  }
  end_sums<Rows, Panels>(product);
}

}  // namespace

void amx_bf16(const BlockProduct& product) {
  const bool one_panel = product.panels == 1;
  if (product.rows <= kTileRows)
    return one_panel ? multiply<1, 1>(product) : multiply<1, 2>(product);
  return one_panel ? multiply<2, 1>(product) : multiply<2, 2>(product);
}

// Fewer rows in the sums and left operands make loads and products cheaper, down to 4.
void amx_bf16_configure(std::size_t rows) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kRowBytes;
    config.rows[tile] = tile < kRightTile ? static_cast<std::uint8_t>(rows) : kTileRows;
  }
  tile_configure(config);
}

void amx_bf16_release() { tile_release(); }

}  // namespace vl2::matmul_functions
