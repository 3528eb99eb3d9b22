// SPDX-License-Identifier: MIT
// AVX-512 VNNI: vpdpbusd adds four products of unsigned with signed bytes. The unsigned ones are
// weights, offset by 128, and the signed ones broadcast activations; tiles are
// [panel][k / 4][column][k % 4]. Eight rows by two panels of sums run side by side.
#include <cstring>

#include <immintrin.h>

#include "kernels/integer/integer_functions.h"

namespace vl2::integer_functions {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kChunkRows = 8;
constexpr std::size_t kQuads = 16;  // of k in a tile
constexpr std::size_t kPanelBytes = kQuads * kLine;
constexpr std::size_t kStepBytes = 1024;      // of the format
constexpr std::size_t kStepPanelBytes = 512;  // of the format
constexpr std::size_t kStepLines = 8;         // of a panel

// Where each byte of a line [column][k % 4] comes from: int8.h keeps four k of four columns as
// [k / 2][column][k % 2], in 16 bytes.
struct alignas(64) Lanes {
  unsigned char bytes[64];
};
constexpr Lanes kByColumn = [] {
  Lanes lanes{};
  for (unsigned i = 0; i < 64; ++i)
    lanes.bytes[i] = static_cast<unsigned char>(i % 4 / 2 * 8 + i / 4 % 4 * 2 + i % 2);
  return lanes;
}();

// 128 + code, from sign and magnitude.
__m512i offset_codes(__m512i bytes) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
  const __m512i magnitude = _mm512_andnot_si512(offset, bytes);
  return _mm512_mask_sub_epi8(_mm512_or_si512(magnitude, offset), _mm512_movepi8_mask(bytes),
                              offset, magnitude);
}

template <std::size_t Rows>
void multiply_rows(const std::int8_t* left, const std::byte* right, std::size_t depth_tiles,
                   std::int32_t* out) {
  __m512i sums[Rows][2];
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m) sums[m][0] = sums[m][1] = _mm512_setzero_si512();
  for (std::size_t tile = 0; tile < depth_tiles; ++tile) {
#pragma GCC unroll 4
    for (std::size_t quad = 0; quad < kQuads; ++quad) {
      const __m512i first = _mm512_load_si512(right + quad * kLine);
      const __m512i second = _mm512_load_si512(right + kPanelBytes + quad * kLine);
#pragma GCC unroll 8
      for (std::size_t m = 0; m < Rows; ++m) {
        int four;
        std::memcpy(&four, left + m * kLine + quad * 4, sizeof(four));
        const __m512i x = _mm512_set1_epi32(four);
        sums[m][0] = _mm512_dpbusd_epi32(sums[m][0], first, x);
        sums[m][1] = _mm512_dpbusd_epi32(sums[m][1], second, x);
      }
    }
    left += kTileRows * kLine;
    right += 2 * kPanelBytes;
  }
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m) {
    _mm512_store_si512(out + m * kOutColumns, sums[m][0]);
    _mm512_store_si512(out + m * kOutColumns + 16, sums[m][1]);
  }
}

}  // namespace

void avx512_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  const __m512i by_column = _mm512_load_si512(kByColumn.bytes);
  for (std::size_t step = 0; step < count; ++step, steps += kStepBytes) {
    std::byte* to = tiles + step / 2 * 2 * kPanelBytes + step % 2 * kStepLines * kLine;
#pragma GCC unroll 2
    for (std::size_t panel = 0; panel < 2; ++panel)
#pragma GCC unroll 8
      for (std::size_t line = 0; line < kStepLines; ++line) {
        const std::byte* from = steps + panel * kStepPanelBytes + line * kLine;
        _mm_prefetch(from + 2 * kStepBytes, _MM_HINT_T0);
        const __m512i codes = offset_codes(_mm512_loadu_si512(from));
        _mm512_store_si512(to + panel * kPanelBytes + line * kLine,
                           _mm512_shuffle_epi8(codes, by_column));
      }
  }
}

void avx512(const IntegerBlock& block) {
  using Function = void (*)(const std::int8_t*, const std::byte*, std::size_t, std::int32_t*);
  static constexpr Function kByRows[kChunkRows] = {
      multiply_rows<1>, multiply_rows<2>, multiply_rows<3>, multiply_rows<4>,
      multiply_rows<5>, multiply_rows<6>, multiply_rows<7>, multiply_rows<8>};
  for (std::size_t row = 0; row < block.rows; row += kChunkRows) {
    const std::size_t rest = block.rows - row;
    const std::int8_t* left =
        block.left + row / kTileRows * block.left_row_tile_bytes + row % kTileRows * kLine;
    kByRows[(rest < kChunkRows ? rest : kChunkRows) - 1](left, block.right, block.depth_tiles,
                                                         block.out + row * kOutColumns);
  }
}

}  // namespace vl2::integer_functions
