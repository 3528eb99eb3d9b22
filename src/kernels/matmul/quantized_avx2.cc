// SPDX-License-Identifier: MIT
// AVX2 and FMA: weights become floats, eight at a time: 4 columns, both k of a pair. Even and odd k
// so stand in lanes of their own, and their chains are added at the end of a tile: the portable
// order.
#include <cstring>

#include <immintrin.h>

#include "kernels/matmul/quantized_functions.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"

namespace vl2::matmul_functions {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kPanelColumns = 16;
constexpr std::size_t kChunkRows = 2;
constexpr std::size_t kLine = 64;
constexpr std::size_t kRowBytes = 64;  // of the left operand, in a tile
constexpr std::size_t kTileBytes = 1024;
constexpr std::size_t kStreamAhead = 1024;
// Vectors of a row of a bf16 tile: 32 numbers.
constexpr std::size_t kVectors = 4;

[[gnu::always_inline]] inline __m256i load_half(const std::byte* line, std::size_t half) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line) + half);
}
// Eight signed bytes as floats.
[[gnu::always_inline]] inline __m256 floats_of(const std::byte* bytes) {
  const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight));
}

class Int8Expander {
 public:
  static constexpr std::size_t kStepBytes = int8::kStepBytes;
  static constexpr std::size_t kPanelBytes = int8::kPanelBytes;
  static constexpr std::size_t kLines = 8;       // of a panel
  static constexpr std::size_t kGroupLines = 8;  // of those that share scales
  static constexpr std::size_t kRows = 2;        // of a bf16 tile, in a line

  [[gnu::always_inline]] void begin_group(const std::byte* /*step*/, std::size_t /*group*/) {}
  [[gnu::always_inline]] void begin_line(const std::byte* line) {
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i codes = load_half(line, half);
      const __m256i magnitudes = _mm256_and_si256(codes, _mm256_set1_epi8(0x7f));
      // A zero of either sign stays zero.
      _mm256_store_si256(reinterpret_cast<__m256i*>(signed_) + half,
                         _mm256_sign_epi8(magnitudes, _mm256_or_si256(codes, _mm256_set1_epi8(1))));
    }
  }
  // Columns 4j .. 4j + 3 of a row of the line.
  [[gnu::always_inline]] __m256 weights(std::size_t row, std::size_t j) const {
    return floats_of(signed_ + j * 16 + row * 8);
  }

 private:
  alignas(32) std::byte signed_[64];
};

// A level of int4 for every code, in both halves of a register.
struct alignas(32) Levels {
  signed char bytes[32];
};
constexpr Levels kLevels = [] {
  Levels levels{};
  for (unsigned i = 0; i < 32; ++i)
    levels.bytes[i] = static_cast<signed char>(int4::kLevels[i % 16]);
  return levels;
}();

class Int4Expander {
 public:
  static constexpr std::size_t kStepBytes = int4::kStepBytes;
  static constexpr std::size_t kPanelBytes = int4::kPanelBytes;
  static constexpr std::size_t kLines = 4;
  static constexpr std::size_t kGroupLines = 2;
  static constexpr std::size_t kRows = 4;

  [[gnu::always_inline]] void begin_group(const std::byte* step, std::size_t group) {
    const std::byte* bytes = step + int4::kScalesOffset + group * 16;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      // Four scale bytes, each in two neighbouring lanes.
      int four;
      std::memcpy(&four, bytes + j * 4, sizeof(four));
      const __m256i spread = _mm256_setr_epi32(0, 0, 8, 8, 16, 16, 24, 24);
      const __m256i scale = _mm256_srlv_epi32(_mm256_set1_epi32(four), spread);
      const __m256i sign = _mm256_slli_epi32(_mm256_and_si256(scale, _mm256_set1_epi32(0x80)), 24);
      const __m256i fraction =
          _mm256_slli_epi32(_mm256_and_si256(scale, _mm256_set1_epi32(0x70)), 16);
      const __m256i exponent = _mm256_slli_epi32(
          _mm256_add_epi32(_mm256_and_si256(scale, _mm256_set1_epi32(0x0f)),
                           _mm256_set1_epi32(127 - static_cast<int>(int4::kExponentBias))),
          23);
      scales_[j] = _mm256_castsi256_ps(_mm256_or_si256(_mm256_or_si256(sign, fraction), exponent));
    }
  }
  [[gnu::always_inline]] void begin_line(const std::byte* line) {
    const __m256i levels = _mm256_load_si256(reinterpret_cast<const __m256i*>(kLevels.bytes));
    const __m256i low_nibble = _mm256_set1_epi8(15);
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i codes = load_half(line, half);
      const __m256i low = _mm256_and_si256(codes, low_nibble);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi16(codes, 4), low_nibble);
      auto* to = reinterpret_cast<__m256i*>(levels_) + half;
      _mm256_store_si256(to, _mm256_shuffle_epi8(levels, low));
      _mm256_store_si256(to + 2, _mm256_shuffle_epi8(levels, high));
    }
  }
  [[gnu::always_inline]] __m256 weights(std::size_t row, std::size_t j) const {
    return _mm256_mul_ps(floats_of(levels_ + row / 2 * kLine + j * 16 + row % 2 * 8), scales_[j]);
  }

 private:
  __m256 scales_[kVectors] = {};
  alignas(32) std::byte levels_[2 * kLine];  // low nibbles, high nibbles
};

// f(row of the bf16 tile, expander, row of the line) for a panel of a step.
template <class Expander, class F>
[[gnu::always_inline]] inline void for_each_row(Expander& expander, const std::byte* step,
                                                std::size_t panel, F f) {
  constexpr std::size_t kGroups = Expander::kLines / Expander::kGroupLines;
  for (std::size_t line = 0; line < Expander::kLines; ++line) {
    if (line % Expander::kGroupLines == 0)
      expander.begin_group(step, panel * kGroups + line / Expander::kGroupLines);
    expander.begin_line(step + panel * Expander::kPanelBytes + line * kLine);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Expander::kRows; ++row) f(line * Expander::kRows + row, row);
  }
}

// A pair of bf16 as floats, over and over: k, k + 1, k, ...
[[gnu::always_inline]] inline __m256 floats_of_pair(const std::byte* pair) {
  int two;
  std::memcpy(&two, pair, sizeof(two));
  const __m256i up = _mm256_setr_epi32(16, 0, 16, 0, 16, 0, 16, 0);
  const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xffff0000U));
  return _mm256_castsi256_ps(
      _mm256_and_si256(_mm256_sllv_epi32(_mm256_set1_epi32(two), up), upper));
}

// Adds even and odd chains of 16 columns to their sums.
[[gnu::always_inline]] inline void add_chains(const __m256 (&chains)[kVectors], float* out) {
#pragma GCC unroll 2
  for (std::size_t half = 0; half < 2; ++half) {
    const __m256 mixed = _mm256_hadd_ps(chains[half * 2], chains[half * 2 + 1]);
    const __m256 sums = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(mixed), 0xd8));
    _mm256_store_ps(out + half * 8, _mm256_add_ps(_mm256_load_ps(out + half * 8), sums));
  }
}

// out += left · one panel of a step.
template <class Expander, std::size_t Rows>
void add_step(const std::byte* left, const std::byte* step, std::size_t panel, float* out) {
  __m256 chains[Rows][kVectors];
#pragma GCC unroll 2
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) chains[m][j] = _mm256_setzero_ps();
  Expander expander;
  for_each_row(expander, step, panel, [&](std::size_t tile_row, std::size_t row) {
    __m256 x[Rows];
#pragma GCC unroll 2
    for (std::size_t m = 0; m < Rows; ++m)
      x[m] = floats_of_pair(left + m * kRowBytes + tile_row * 4);
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      const __m256 w = expander.weights(row, j);
#pragma GCC unroll 2
      for (std::size_t m = 0; m < Rows; ++m) chains[m][j] = _mm256_fmadd_ps(x[m], w, chains[m][j]);
    }
  });
#pragma GCC unroll 2
  for (std::size_t m = 0; m < Rows; ++m) add_chains(chains[m], out + m * kOutColumns);
}

template <class Expander>
void multiply(const BlockProduct& product) {
  if (!product.accumulate)
    for (std::size_t m = 0; m < product.rows; ++m)
      std::memset(product.out + m * kOutColumns, 0, product.panels * kPanelColumns * sizeof(float));
  const std::byte* right = product.right;
  for (std::size_t step = 0; step < product.depth_tiles; ++step, right += Expander::kStepBytes) {
    for (std::size_t at = 0; at < Expander::kStepBytes; at += kLine)
      _mm_prefetch(right + kStreamAhead + at, _MM_HINT_T0);
    for (std::size_t panel = 0; panel < product.panels; ++panel)
      for (std::size_t row = 0; row < product.rows; row += kChunkRows) {
        const std::byte* left = product.left + row / kTileRows * product.left_row_tile_bytes +
                                step * kTileBytes + row % kTileRows * kRowBytes;
        float* out = product.out + row * kOutColumns + panel * kPanelColumns;
        if (product.rows - row > 1)
          add_step<Expander, 2>(left, right, panel, out);
        else
          add_step<Expander, 1>(left, right, panel, out);
      }
  }
}

// Upper halves of two vectors of floats, in order.
[[gnu::always_inline]] inline __m256i upper_halves(__m256 first, __m256 second) {
  const __m256i mixed = _mm256_packus_epi32(_mm256_srli_epi32(_mm256_castps_si256(first), 16),
                                            _mm256_srli_epi32(_mm256_castps_si256(second), 16));
  return _mm256_permute4x64_epi64(mixed, 0xd8);
}

template <class Expander>
void expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  Expander expander;
  for (std::size_t i = 0; i < count; ++i, steps += Expander::kStepBytes)
    for (std::size_t panel = 0; panel < 2; ++panel, tiles += kTileBytes)
      for_each_row(expander, steps, panel, [&](std::size_t tile_row, std::size_t row) {
        auto* to = reinterpret_cast<__m256i*>(tiles + tile_row * kRowBytes);
        _mm256_store_si256(to, upper_halves(expander.weights(row, 0), expander.weights(row, 1)));
        _mm256_store_si256(to + 1,
                           upper_halves(expander.weights(row, 2), expander.weights(row, 3)));
      });
}

}  // namespace

void avx2_int8(const BlockProduct& product) { multiply<Int8Expander>(product); }
void avx2_int4(const BlockProduct& product) { multiply<Int4Expander>(product); }

void avx2_int8_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  expand<Int8Expander>(steps, count, tiles);
}
void avx2_int4_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  expand<Int4Expander>(steps, count, tiles);
}

void avx2_scale(float* sums, std::size_t rows, const float* multipliers) {
  for (std::size_t m = 0; m < rows; ++m)
#pragma GCC unroll 4
    for (std::size_t n = 0; n < kOutColumns; n += 8) {
      float* at = sums + m * kOutColumns + n;
      _mm256_store_ps(at, _mm256_mul_ps(_mm256_load_ps(at), _mm256_loadu_ps(multipliers + n)));
    }
}

}  // namespace vl2::matmul_functions
