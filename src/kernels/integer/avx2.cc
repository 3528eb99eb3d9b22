// SPDX-License-Identifier: MIT
// AVX2: bytes are widened to 16 bits, since vpmaddubsw would saturate, and vpmaddwd adds two
// products. Tiles are [panel][k / 2][column][k % 2] of 16-bit codes. Two rows by both panels of
// sums run side by side.
#include <cstring>

#include <immintrin.h>

#include "kernels/integer/integer_functions.h"

namespace vl2::integer_functions {
namespace {

constexpr std::size_t kDepth = 64;
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kRowBytes = 64;  // a pair of k of 16 columns
constexpr std::size_t kPanelBytes = 2048;
constexpr std::size_t kStepBytes = 1024;      // of the format
constexpr std::size_t kStepPanelBytes = 512;  // of the format
constexpr std::size_t kVectors = 4;           // of 8 columns

// Sign and magnitude to two's complement.
__m128i signed_codes(__m128i bytes) {
  const __m128i negative = _mm_cmpgt_epi8(_mm_setzero_si128(), bytes);
  const __m128i magnitude = _mm_and_si128(bytes, _mm_set1_epi8(0x7f));
  return _mm_sub_epi8(_mm_xor_si128(magnitude, negative), negative);
}

// 64 codes of a row as 32 pairs of 16 bits.
void widen_row(const std::int8_t* from, std::int16_t* to) {
  for (std::size_t i = 0; i < kDepth; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + i), _mm256_cvtepi8_epi16(bytes));
  }
}

template <std::size_t Rows>
void multiply_rows(const std::int8_t* left, const std::byte* right, std::size_t depth_tiles,
                   std::int32_t* out) {
  __m256i sums[Rows][kVectors];
#pragma GCC unroll 2
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) sums[m][v] = _mm256_setzero_si256();
  alignas(32) std::int16_t wide[Rows][kDepth];
  for (std::size_t tile = 0; tile < depth_tiles; ++tile) {
    for (std::size_t m = 0; m < Rows; ++m) widen_row(left + m * kDepth, wide[m]);
    for (std::size_t pair = 0; pair < kDepth / 2; ++pair) {
      __m256i x[Rows];
#pragma GCC unroll 2
      for (std::size_t m = 0; m < Rows; ++m) {
        int two;
        std::memcpy(&two, wide[m] + pair * 2, sizeof(two));
        x[m] = _mm256_set1_epi32(two);
      }
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        const __m256i weights = _mm256_load_si256(reinterpret_cast<const __m256i*>(
            right + v / 2 * kPanelBytes + pair * kRowBytes + v % 2 * 32));
#pragma GCC unroll 2
        for (std::size_t m = 0; m < Rows; ++m)
          sums[m][v] = _mm256_add_epi32(sums[m][v], _mm256_madd_epi16(weights, x[m]));
      }
    }
    left += kTileRows * kDepth;
    right += 2 * kPanelBytes;
  }
#pragma GCC unroll 2
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v)
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + m * kOutColumns + v * 8), sums[m][v]);
}

}  // namespace

void avx2_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  for (std::size_t step = 0; step < count; ++step, steps += kStepBytes) {
    std::byte* tile = tiles + step / 2 * 2 * kPanelBytes + step % 2 * (kPanelBytes / 2);
    // 16 bytes hold two pairs of k of four columns: [k / 2][column][k % 2].
    for (std::size_t i = 0; i < kStepBytes / 16; ++i) {
      const std::size_t panel = i * 16 / kStepPanelBytes;
      const std::size_t quad = i / 4 % 8;
      std::byte* to = tile + panel * kPanelBytes + quad * 2 * kRowBytes + i % 4 * 16;
      const __m256i wide = _mm256_cvtepi8_epi16(
          signed_codes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(steps + i * 16))));
      _mm_store_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(wide));
      _mm_store_si128(reinterpret_cast<__m128i*>(to + kRowBytes),
                      _mm256_extracti128_si256(wide, 1));
    }
  }
}

void avx2(const IntegerBlock& block) {
  for (std::size_t row = 0; row < block.rows; row += 2) {
    const std::int8_t* left =
        block.left + row / kTileRows * block.left_row_tile_bytes + row % kTileRows * kDepth;
    std::int32_t* out = block.out + row * kOutColumns;
    if (block.rows - row == 1)
      multiply_rows<1>(left, block.right, block.depth_tiles, out);
    else
      multiply_rows<2>(left, block.right, block.depth_tiles, out);
  }
}

}  // namespace vl2::integer_functions
