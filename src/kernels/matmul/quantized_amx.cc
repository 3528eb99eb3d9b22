// SPDX-License-Identifier: MIT
// AMX-BF16 on tiles that the vector unit expands meanwhile. A tile load cannot take data from the
// store buffer, and stores leave it only after they retire, so tiles are expanded some steps before
// they are loaded, into a ring in the first-level cache.
#include "kernels/matmul/amx_tile.h"
#include "kernels/matmul/expand_avx512.h"
#include "kernels/matmul/quantized_functions.h"

namespace vl2::matmul_functions {
namespace {

// Tiles 0..3 hold sums [row tile][panel], 4 and 5 the left operand, 6 and 7 the panels.
constexpr int kLeftTile = 4;
constexpr int kRightTile = 6;
constexpr std::size_t kTileBytes = 1024;
constexpr std::size_t kRowBytes = 64;
constexpr std::size_t kOutBytes = 128;  // from row to row of `out`
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kStreamAhead = 1536;
// Steps of the ring, a power of two, and how many lie between a store and its load.
constexpr std::size_t kRingSteps = 8;
constexpr std::size_t kLead = 3;
// See amx.cc.
constexpr std::size_t kStepsBetweenStores = 8;
struct alignas(64) Ring {
  std::byte tiles[kRingSteps][2 * kTileBytes];
  std::byte nobody_reads[kTileBytes];
};
thread_local Ring t_ring;

template <int Rows>
[[gnu::always_inline]] inline void begin_sums(const BlockProduct& product) {
  if (!product.accumulate) {
    tile_zero<0>();
    tile_zero<1>();
    if constexpr (Rows > 1) {
      tile_zero<2>();
      tile_zero<3>();
    }
    return;
  }
  float* second = product.out + kTileRows * 2 * kTileRows;
  tile_load<0>(product.out, kOutBytes);
  tile_load<1>(product.out + 16, kOutBytes);
  if constexpr (Rows > 1) {
    tile_load<2>(second, kOutBytes);
    tile_load<3>(second + 16, kOutBytes);
  }
}

template <int Rows>
[[gnu::always_inline]] inline void end_sums(const BlockProduct& product) {
  float* second = product.out + kTileRows * 2 * kTileRows;
  tile_store<0>(product.out, kOutBytes);
  if (product.panels > 1) tile_store<1>(product.out + 16, kOutBytes);
  if constexpr (Rows > 1) {
    tile_store<2>(second, kOutBytes);
    if (product.panels > 1) tile_store<3>(second + 16, kOutBytes);
  }
}

template <class Expander>
[[gnu::always_inline]] inline void expand_step(const Expander& expander, const std::byte* step,
                                               std::byte* tiles) {
  for_each_row<2, kStreamAhead>(
      expander, step, [&](std::size_t panel, std::size_t row, __m512i weights) {
        _mm512_store_si512(tiles + panel * kTileBytes + row * kRowBytes, weights);
      });
}

template <class Expander, int Rows>
void multiply(const BlockProduct& product) {
  const Expander expander;
  Ring& ring = t_ring;
  const std::byte* steps = product.right;
  const std::size_t count = product.depth_tiles;
  for (std::size_t step = 0; step < kLead && step < count; ++step)
    expand_step(expander, steps + step * Expander::kStepBytes, ring.tiles[step]);
  const std::byte* left = product.left;
  const std::byte* second = left + product.left_row_tile_bytes;
  begin_sums<Rows>(product);
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t next = step + kLead;
    if (next < count)
      expand_step(expander, steps + next * Expander::kStepBytes, ring.tiles[next % kRingSteps]);
    const std::byte* right = ring.tiles[step % kRingSteps];
    tile_load<kRightTile>(right, kRowBytes);
    tile_load<kLeftTile>(left, kRowBytes);
    tile_dot_bf16<0, kLeftTile, kRightTile>();
    tile_load<kRightTile + 1, kTileBytes>(right, kRowBytes);
    tile_dot_bf16<1, kLeftTile, kRightTile + 1>();
    if constexpr (Rows > 1) {
      tile_load<kLeftTile + 1>(second, kRowBytes);
      tile_dot_bf16<2, kLeftTile + 1, kRightTile>();
      tile_dot_bf16<3, kLeftTile + 1, kRightTile + 1>();
    }
    if (step % kStepsBetweenStores == kStepsBetweenStores - 1)
      tile_store<kLeftTile>(ring.nobody_reads, kRowBytes);
    left += kTileBytes;
    second += kTileBytes;
  }
  end_sums<Rows>(product);
}

template <class Expander>
void multiply(const BlockProduct& product) {
  if (product.rows <= kTileRows)
    multiply<Expander, 1>(product);
  else
    multiply<Expander, 2>(product);
}

}  // namespace

void amx_int8(const BlockProduct& product) { multiply<Int8Expander>(product); }
void amx_int4(const BlockProduct& product) { multiply<Int4Expander>(product); }

}  // namespace vl2::matmul_functions
