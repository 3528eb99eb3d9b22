// SPDX-License-Identifier: MIT
// Few rows with int8 weights: they are read once as a stream, expanded in registers and multiplied
// there, in the order of the bf16 kernel (avx512.cc). For many rows, and for tile kernels, steps of
// int8 and int4 become bf16 tiles. int4_avx512.cc has what AVX-512 does with int4 itself.
#include <cstring>

#include "kernels/matmul/expand_avx512.h"
#include "kernels/matmul/quantized_functions.h"

namespace vl2::matmul_functions {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kChunkRows = 8;
constexpr std::size_t kRowBytes = 64;  // of the left operand, in a tile
constexpr std::size_t kTileBytes = 1024;

constexpr std::size_t kExpandAhead = 1024;

// Up to 8 rows of one row tile.
struct Chunk {
  const std::byte* left;
  const std::byte* right;
  std::size_t depth_tiles;
  float* out;
  bool accumulate;
};

[[gnu::always_inline]] inline __m512 add_product(__m512 sum, __m512i weights,
                                                 const std::byte* left) {
  int pair;
  std::memcpy(&pair, left, sizeof(pair));
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(weights),
                          reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair)));
}

template <class Expander, std::size_t Rows, std::size_t Panels>
void multiply_rows(const Chunk& chunk) {
  __m512 sums[Rows][Panels];
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      sums[m][p] = chunk.accumulate ? _mm512_load_ps(chunk.out + m * kOutColumns + p * 16)
                                    : _mm512_setzero_ps();
  // A row or two take no longer than reading: int8 then comes at 92% of what plain loads reach on a
  // Zen 4, against 73% from 1 KB ahead; more rows take longer and want more lead.
  constexpr std::size_t kAhead = Rows <= 2 ? 512 : 2048;
  const Expander expander;
  const std::byte* left = chunk.left;
  const std::byte* right = chunk.right;
  for (std::size_t step = 0; step < chunk.depth_tiles; ++step) {
    for_each_row<Panels, kAhead>(
        expander, right, [&](std::size_t p, std::size_t row, __m512i weights) {
#pragma GCC unroll 8
          for (std::size_t m = 0; m < Rows; ++m)
            sums[m][p] = add_product(sums[m][p], weights, left + m * kRowBytes + row * 4);
        });
    left += kTileBytes;
    right += Expander::kStepBytes;
  }
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      _mm512_store_ps(chunk.out + m * kOutColumns + p * 16, sums[m][p]);
}

template <class Expander, std::size_t Panels>
void multiply_chunk(const Chunk& chunk, std::size_t rows) {
  using Function = void (*)(const Chunk&);
  static constexpr Function kByRows[kChunkRows] = {
      multiply_rows<Expander, 1, Panels>, multiply_rows<Expander, 2, Panels>,
      multiply_rows<Expander, 3, Panels>, multiply_rows<Expander, 4, Panels>,
      multiply_rows<Expander, 5, Panels>, multiply_rows<Expander, 6, Panels>,
      multiply_rows<Expander, 7, Panels>, multiply_rows<Expander, 8, Panels>};
  kByRows[rows - 1](chunk);
}

template <class Expander>
void multiply(const BlockProduct& product) {
  for (std::size_t row = 0; row < product.rows; row += kChunkRows) {
    const std::byte* row_tile = product.left + row / kTileRows * product.left_row_tile_bytes;
    const std::size_t rest = product.rows - row;
    const Chunk chunk{row_tile + row % kTileRows * kRowBytes, product.right, product.depth_tiles,
                      product.out + row * kOutColumns, product.accumulate};
    const std::size_t rows = rest < kChunkRows ? rest : kChunkRows;
    if (product.panels == 1)
      multiply_chunk<Expander, 1>(chunk, rows);
    else
      multiply_chunk<Expander, 2>(chunk, rows);
  }
}

template <class Expander>
void expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  const Expander expander;
  for (std::size_t i = 0; i < count; ++i) {
    for_each_row<2, kExpandAhead>(
        expander, steps, [&](std::size_t p, std::size_t row, __m512i weights) {
          _mm512_store_si512(tiles + p * kTileBytes + row * kRowBytes, weights);
        });
    steps += Expander::kStepBytes;
    tiles += 2 * kTileBytes;
  }
}

}  // namespace

void avx512_int8(const BlockProduct& product) { multiply<Int8Expander>(product); }

void avx512_int8_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  expand<Int8Expander>(steps, count, tiles);
}
void avx512_int4_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  expand<Int4Expander>(steps, count, tiles);
}

void avx512_scale(float* sums, std::size_t rows, const float* multipliers) {
  const __m512 first = _mm512_loadu_ps(multipliers);
  const __m512 second = _mm512_loadu_ps(multipliers + 16);
  for (std::size_t m = 0; m < rows; ++m) {
    float* row = sums + m * kOutColumns;
    _mm512_store_ps(row, _mm512_mul_ps(_mm512_load_ps(row), first));
    _mm512_store_ps(row + 16, _mm512_mul_ps(_mm512_load_ps(row + 16), second));
  }
}

}  // namespace vl2::matmul_functions
