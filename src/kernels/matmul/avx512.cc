// SPDX-License-Identifier: MIT
// AVX-512: f32 in the portable order, bf16 by vdpbf16ps, which adds the two products of a pair of
// k to the sum one after the other and so has an order of its own. A sum is one chain over
// ascending k in every shape; up to 8 rows by 2 panels of them run side by side, more than the
// latency of the instruction asks for.
#include <cstring>

#include <immintrin.h>

#include "kernels/matmul/kernel_functions.h"

namespace vl2::matmul_functions {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kChunkRows = 8;
constexpr std::size_t kLine = 64;
// How far ahead a stream of weights is fetched when few rows use it: 97% of what plain loads
// reach from memory on a Zen 4, against 86% without and 80% at 4 KB.
constexpr std::size_t kStreamAhead = 1024;
// Up to so many rows a panel at a time is faster than two even when weights are in the cache.
constexpr std::size_t kStreamRows = 4;

// One step of depth reads a register of weights and one broadcast number of a row.
struct F32 {
  static constexpr std::size_t kSteps = 32;
  static constexpr std::size_t kStepBytes = 4;
  using Numbers = __m512;
  static Numbers load(const std::byte* from) { return _mm512_load_ps(from); }
  static Numbers broadcast(const std::byte* from) {
    float number;
    std::memcpy(&number, from, sizeof(number));
    return _mm512_set1_ps(number);
  }
  static __m512 add_product(__m512 sum, Numbers w, Numbers x) { return _mm512_fmadd_ps(x, w, sum); }
  static void add_product_from(__m512& sum, Numbers w, const std::byte* x) {
    sum = add_product(sum, w, broadcast(x));
  }
};
struct Bf16Pairs {
  static constexpr std::size_t kSteps = 16;
  static constexpr std::size_t kStepBytes = 4;
  using Numbers = __m512i;
  static Numbers load(const std::byte* from) { return _mm512_load_si512(from); }
  static Numbers broadcast(const std::byte* from) {
    int pair;
    std::memcpy(&pair, from, sizeof(pair));
    return _mm512_set1_epi32(pair);
  }
  static __m512 add_product(__m512 sum, Numbers w, Numbers x) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(w), reinterpret_cast<__m512bh>(x));
  }
  // The compiler broadcasts by an instruction of its own. On a Zen 4, where each product needs
  // another number, that costs half as much as the product; as part of it, nothing.
  static void add_product_from(__m512& sum, Numbers w, const std::byte* x) {
    using Pair = const std::byte[4];
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<Pair*>(x)));
  }
};

template <class T>
constexpr std::size_t kRowBytes = T::kSteps * T::kStepBytes;
template <class T>
constexpr std::size_t kTileBytes = T::kSteps * kLine;

// Rows of one row tile with both panels, or the first.
struct Chunk {
  const std::byte* left;
  const std::byte* right;
  std::size_t depth_tiles;
  float* out;
  bool accumulate;
  const std::byte* ahead;  // fetched into the second-level cache, `ahead_lines` a tile of depth
  std::size_t ahead_lines;
  bool stream;
};

void fetch_ahead(const Chunk& chunk, std::size_t tile) {
  const std::byte* from = chunk.ahead + tile * chunk.ahead_lines * kLine;
  for (std::size_t line = 0; line < chunk.ahead_lines; ++line)
    _mm_prefetch(from + line * kLine, _MM_HINT_T1);
}

template <std::size_t Rows, std::size_t Panels>
void load_sums(const Chunk& chunk, __m512 (&sums)[Rows][Panels]) {
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      sums[m][p] = chunk.accumulate ? _mm512_load_ps(chunk.out + m * kOutColumns + p * 16)
                                    : _mm512_setzero_ps();
}
template <std::size_t Rows, std::size_t Panels>
void store_sums(const Chunk& chunk, const __m512 (&sums)[Rows][Panels]) {
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      _mm512_store_ps(chunk.out + m * kOutColumns + p * 16, sums[m][p]);
}

// Many rows: a broadcast number meets both panels.
template <class T, std::size_t Rows, std::size_t Panels>
void multiply_block(const Chunk& chunk) {
  __m512 sums[Rows][Panels];
  load_sums(chunk, sums);
  const std::byte* left = chunk.left;
  const std::byte* right = chunk.right;
  for (std::size_t tile = 0; tile < chunk.depth_tiles; ++tile) {
    fetch_ahead(chunk, tile);
    for (std::size_t step = 0; step < T::kSteps; ++step) {
      typename T::Numbers w[Panels];
#pragma GCC unroll 2
      for (std::size_t p = 0; p < Panels; ++p)
        w[p] = T::load(right + p * kTileBytes<T> + step * kLine);
#pragma GCC unroll 8
      for (std::size_t m = 0; m < Rows; ++m) {
        const auto x = T::broadcast(left + m * kRowBytes<T> + step * T::kStepBytes);
#pragma GCC unroll 2
        for (std::size_t p = 0; p < Panels; ++p) sums[m][p] = T::add_product(sums[m][p], w[p], x);
      }
    }
    left += kTileRows * kRowBytes<T>;
    right += 2 * kTileBytes<T>;
  }
  store_sums(chunk, sums);
}

// Few rows: weights are read as one stream, tile after tile.
template <class T, std::size_t Rows, std::size_t Panels, bool FromMemory>
void multiply_stream(const Chunk& chunk) {
  __m512 sums[Rows][Panels];
  load_sums(chunk, sums);
  const std::byte* left = chunk.left;
  const std::byte* right = chunk.right;
  for (std::size_t tile = 0; tile < chunk.depth_tiles; ++tile) {
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
#pragma GCC unroll 16
      for (std::size_t step = 0; step < T::kSteps; ++step) {
        const std::byte* line = right + p * kTileBytes<T> + step * kLine;
        if constexpr (FromMemory) _mm_prefetch(line + kStreamAhead, _MM_HINT_T0);
        const auto w = T::load(line);
#pragma GCC unroll 8
        for (std::size_t m = 0; m < Rows; ++m)
          T::add_product_from(sums[m][p], w, left + m * kRowBytes<T> + step * T::kStepBytes);
      }
    left += kTileRows * kRowBytes<T>;
    right += 2 * kTileBytes<T>;
  }
  store_sums(chunk, sums);
}

template <class T, std::size_t Rows, std::size_t Panels>
void multiply_rows(const Chunk& chunk) {
  if (chunk.stream)
    multiply_stream<T, Rows, Panels, true>(chunk);
  else if constexpr (Rows > kStreamRows)
    multiply_block<T, Rows, Panels>(chunk);
  else
    multiply_stream<T, Rows, Panels, false>(chunk);
}

template <class T, std::size_t Panels>
void multiply_chunk(const Chunk& chunk, std::size_t rows) {
  using Function = void (*)(const Chunk&);
  static constexpr Function kByRows[kChunkRows] = {
      multiply_rows<T, 1, Panels>, multiply_rows<T, 2, Panels>, multiply_rows<T, 3, Panels>,
      multiply_rows<T, 4, Panels>, multiply_rows<T, 5, Panels>, multiply_rows<T, 6, Panels>,
      multiply_rows<T, 7, Panels>, multiply_rows<T, 8, Panels>};
  kByRows[rows - 1](chunk);
}

template <class T>
void multiply(const BlockProduct& product) {
  const std::size_t chunks = (product.rows + kChunkRows - 1) / kChunkRows;
  const std::size_t fetches = chunks * product.depth_tiles * kLine;
  const std::size_t ahead_lines =
      product.ahead == nullptr ? 0 : (product.ahead_bytes + fetches - 1) / fetches;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t row = i * kChunkRows;
    const std::size_t rest = product.rows - row;
    const Chunk chunk{product.left + row / kTileRows * product.left_row_tile_bytes +
                          row % kTileRows * kRowBytes<T>,
                      product.right,
                      product.depth_tiles,
                      product.out + row * kOutColumns,
                      product.accumulate,
                      product.ahead + i * product.depth_tiles * ahead_lines * kLine,
                      ahead_lines,
                      product.stream && chunks == 1};
    const std::size_t rows = rest < kChunkRows ? rest : kChunkRows;
    if (product.panels == 1)
      multiply_chunk<T, 1>(chunk, rows);
    else
      multiply_chunk<T, 2>(chunk, rows);
  }
}

}  // namespace

void avx512_f32(const BlockProduct& product) { multiply<F32>(product); }
void avx512_bf16(const BlockProduct& product) { multiply<Bf16Pairs>(product); }

}  // namespace vl2::matmul_functions
