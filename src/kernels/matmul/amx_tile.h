// SPDX-License-Identifier: MIT
// Tile instructions that g++ 12 cannot miscompile. Its own intrinsics paste the tile number as
// text and do not tell the optimiser which memory they read, so stores just before a load or a
// configuration are lost. Here the whole configuration is an operand and loads and stores clobber
// memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vl2 {
namespace {

// Intel's Software Developer's Manual, LDTILECFG, palette 1: up to 8 tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// Zeroes all tiles.
[[gnu::always_inline]] inline void tile_configure(const TileConfig& config) {
  asm volatile("ldtilecfg %0" ::"m"(config));
}
[[gnu::always_inline]] inline void tile_release() { asm volatile("tilerelease"); }

template <int Tile>
[[gnu::always_inline]] inline void tile_zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
}
// `Offset` bytes behind `from`, known to the assembler, so that nothing stands between two loads.
template <int Tile, int Offset = 0>
[[gnu::always_inline]] inline void tile_load(const void* from, std::size_t stride) {
  asm volatile("tileloadd %c3(%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(Tile), "i"(Offset)
               : "memory");
}
template <int Tile>
[[gnu::always_inline]] inline void tile_store(void* to, std::size_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(Tile) : "memory");
}
// into[m][n] += sum over 32 k of left[m][k] * right[k/2][n][k%2].
template <int Into, int Left, int Right>
[[gnu::always_inline]] inline void tile_dot_bf16() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Into), "i"(Left), "i"(Right));
}

}  // namespace
}  // namespace vl2
