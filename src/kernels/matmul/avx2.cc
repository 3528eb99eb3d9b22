// SPDX-License-Identifier: MIT
// AVX2 and FMA, both operands in the portable order.
#include <cstring>

#include <immintrin.h>

#include "kernels/matmul/kernel_functions.h"

namespace vl2::matmul_functions {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kPanelColumns = 16;
constexpr std::size_t kStreamAhead = 1024;

// Rows of one row tile against one panel.
struct Strip {
  const std::byte* left;
  const std::byte* right;
  float* out;
};

template <std::size_t Rows>
[[gnu::always_inline]] inline void load_sums(const float* out, __m256 (&sums)[Rows][2]) {
#pragma GCC unroll 4
  for (std::size_t m = 0; m < Rows; ++m) {
    sums[m][0] = _mm256_load_ps(out + m * kOutColumns);
    sums[m][1] = _mm256_load_ps(out + m * kOutColumns + 8);
  }
}
template <std::size_t Rows>
[[gnu::always_inline]] inline void store_sums(float* out, const __m256 (&sums)[Rows][2]) {
#pragma GCC unroll 4
  for (std::size_t m = 0; m < Rows; ++m) {
    _mm256_store_ps(out + m * kOutColumns, sums[m][0]);
    _mm256_store_ps(out + m * kOutColumns + 8, sums[m][1]);
  }
}

struct F32 {
  static constexpr std::size_t kChunkRows = 4;
  static constexpr std::size_t kRowBytes = 128;
  static constexpr std::size_t kTileBytes = 2048;

  // One tile of depth: out += left · right.
  template <std::size_t Rows, bool FromMemory>
  static void add_tile(const Strip& strip) {
    __m256 sums[Rows][2];
    load_sums(strip.out, sums);
    for (std::size_t k = 0; k < 32; ++k) {
      const auto* line = reinterpret_cast<const float*>(strip.right) + k * kPanelColumns;
      if constexpr (FromMemory)
        _mm_prefetch(reinterpret_cast<const std::byte*>(line) + kStreamAhead, _MM_HINT_T0);
      const __m256 low = _mm256_load_ps(line);
      const __m256 high = _mm256_load_ps(line + 8);
#pragma GCC unroll 4
      for (std::size_t m = 0; m < Rows; ++m) {
        const __m256 x =
            _mm256_broadcast_ss(reinterpret_cast<const float*>(strip.left + m * kRowBytes) + k);
        sums[m][0] = _mm256_fmadd_ps(x, low, sums[m][0]);
        sums[m][1] = _mm256_fmadd_ps(x, high, sums[m][1]);
      }
    }
    store_sums(strip.out, sums);
  }
};

// A pair of bf16 as two floats: the even number in the upper half of a shifted pair, the odd one
// in the upper half of the pair.
[[gnu::always_inline]] inline __m256 even_of(__m256i pairs) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
}
[[gnu::always_inline]] inline __m256 odd_of(__m256i pairs) {
  const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xffff0000U));
  return _mm256_castsi256_ps(_mm256_and_si256(pairs, upper));
}

struct Bf16Pairs {
  static constexpr std::size_t kChunkRows = 2;
  static constexpr std::size_t kRowBytes = 64;
  static constexpr std::size_t kTileBytes = 1024;

  template <std::size_t Rows, bool FromMemory>
  static void add_tile(const Strip& strip) {
    __m256 even[Rows][2];
    __m256 odd[Rows][2];
#pragma GCC unroll 2
    for (std::size_t m = 0; m < Rows; ++m)
      even[m][0] = even[m][1] = odd[m][0] = odd[m][1] = _mm256_setzero_ps();
    for (std::size_t pair = 0; pair < 16; ++pair) {
      const auto* line = reinterpret_cast<const __m256i*>(strip.right) + pair * 2;
      if constexpr (FromMemory)
        _mm_prefetch(reinterpret_cast<const std::byte*>(line) + kStreamAhead, _MM_HINT_T0);
      const __m256i low = _mm256_load_si256(line);
      const __m256i high = _mm256_load_si256(line + 1);
#pragma GCC unroll 2
      for (std::size_t m = 0; m < Rows; ++m) {
        int two;
        std::memcpy(&two, strip.left + m * kRowBytes + pair * 4, sizeof(two));
        const __m256i x = _mm256_set1_epi32(two);
        even[m][0] = _mm256_fmadd_ps(even_of(x), even_of(low), even[m][0]);
        even[m][1] = _mm256_fmadd_ps(even_of(x), even_of(high), even[m][1]);
        odd[m][0] = _mm256_fmadd_ps(odd_of(x), odd_of(low), odd[m][0]);
        odd[m][1] = _mm256_fmadd_ps(odd_of(x), odd_of(high), odd[m][1]);
      }
    }
    __m256 sums[Rows][2];
    load_sums(strip.out, sums);
#pragma GCC unroll 2
    for (std::size_t m = 0; m < Rows; ++m) {
      sums[m][0] = _mm256_add_ps(sums[m][0], _mm256_add_ps(even[m][0], odd[m][0]));
      sums[m][1] = _mm256_add_ps(sums[m][1], _mm256_add_ps(even[m][1], odd[m][1]));
    }
    store_sums(strip.out, sums);
  }
};

template <class T, bool FromMemory>
void add_rows(const Strip& strip, std::size_t rows) {
  switch (rows) {
    case 1:
      return T::template add_tile<1, FromMemory>(strip);
    case 2:
      return T::template add_tile<2, FromMemory>(strip);
    case 3:
      if constexpr (T::kChunkRows > 2) return T::template add_tile<3, FromMemory>(strip);
      break;
    default:
      if constexpr (T::kChunkRows > 2) return T::template add_tile<4, FromMemory>(strip);
  }
}

// The tile of weights is the outer loop, so that it is read from memory once and in order; the
// sums wait in `out`, which stays in the first-level cache.
template <class T>
void multiply(const BlockProduct& product) {
  if (!product.accumulate)
    for (std::size_t m = 0; m < product.rows; ++m)
      std::memset(product.out + m * kOutColumns, 0, product.panels * kPanelColumns * sizeof(float));
  for (std::size_t tile = 0; tile < product.depth_tiles; ++tile)
    for (std::size_t panel = 0; panel < product.panels; ++panel)
      for (std::size_t row = 0; row < product.rows; row += T::kChunkRows) {
        const std::byte* row_tile = product.left + row / kTileRows * product.left_row_tile_bytes +
                                    tile * kTileRows * T::kRowBytes;
        const std::size_t rest = product.rows - row;
        const std::size_t rows = rest < T::kChunkRows ? rest : T::kChunkRows;
        const Strip strip{row_tile + row % kTileRows * T::kRowBytes,
                          product.right + (tile * 2 + panel) * T::kTileBytes,
                          product.out + row * kOutColumns + panel * kPanelColumns};
        if (product.stream && row == 0)
          add_rows<T, true>(strip, rows);
        else
          add_rows<T, false>(strip, rows);
      }
}

}  // namespace

void avx2_f32(const BlockProduct& product) { multiply<F32>(product); }
void avx2_bf16(const BlockProduct& product) { multiply<Bf16Pairs>(product); }

}  // namespace vl2::matmul_functions
