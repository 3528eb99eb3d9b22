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

// A byte b beside the right constants is the float 2^23 + b. Bytes hold numbers plus 128.
constexpr float kByteOffset = 0x1p23F + 128.0F;
// 16 such bytes, each in a word, as such floats: columns 0 1 | 4 5, 2 3 | 6 7, both k of each.
[[gnu::always_inline]] inline void offset_floats(__m256i words, __m256& first, __m256& second) {
  const __m256i exponent = _mm256_set1_epi16(0x4b00);
  first = _mm256_castsi256_ps(_mm256_unpacklo_epi16(words, exponent));
  second = _mm256_castsi256_ps(_mm256_unpackhi_epi16(words, exponent));
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
      const __m256i values =
          _mm256_sign_epi8(magnitudes, _mm256_or_si256(codes, _mm256_set1_epi8(1)));
      bytes_[half] = _mm256_xor_si256(values, _mm256_set1_epi8(static_cast<char>(0x80)));
    }
  }
  [[gnu::always_inline]] void weights(std::size_t row, __m256 (&out)[kVectors]) const {
    const __m256i zero = _mm256_setzero_si256();
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half)
      offset_floats(row == 0 ? _mm256_unpacklo_epi8(bytes_[half], zero)
                             : _mm256_unpackhi_epi8(bytes_[half], zero),
                    out[half * 2], out[half * 2 + 1]);
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j)
      out[j] = _mm256_sub_ps(out[j], _mm256_set1_ps(kByteOffset));
  }

 private:
  __m256i bytes_[2] = {};
};

// Levels of int4 plus 128 for every code, in both halves of a register.
struct alignas(32) Levels {
  unsigned char bytes[32];
};
constexpr Levels kLevels = [] {
  Levels levels{};
  for (unsigned i = 0; i < 32; ++i)
    levels.bytes[i] = static_cast<unsigned char>(int4::kLevels[i % 16] + 128);
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
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i scale =
          _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + half * 8)));
      const __m256i sign_and_size = _mm256_and_si256(
          _mm256_slli_epi32(scale, 20), _mm256_set1_epi32(static_cast<int>(0x87f00000U)));
      const __m256 all = _mm256_castsi256_ps(_mm256_add_epi32(
          sign_and_size, _mm256_set1_epi32((127 - static_cast<int>(int4::kExponentBias)) << 23)));
      scales_[half * 2] = _mm256_unpacklo_ps(all, all);
      scales_[half * 2 + 1] = _mm256_unpackhi_ps(all, all);
    }
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j)  // exact: 17 and 4 significant bits
      offsets_[j] = _mm256_mul_ps(scales_[j], _mm256_set1_ps(kByteOffset));
  }
  [[gnu::always_inline]] void begin_line(const std::byte* line) {
    const __m256i levels = _mm256_load_si256(reinterpret_cast<const __m256i*>(kLevels.bytes));
    const __m256i low_nibble = _mm256_set1_epi8(15);
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i codes = load_half(line, half);
      const __m256i high = _mm256_srli_epi16(codes, 4);
      bytes_[0][half] = _mm256_shuffle_epi8(levels, _mm256_and_si256(codes, low_nibble));
      bytes_[1][half] = _mm256_shuffle_epi8(levels, _mm256_and_si256(high, low_nibble));
    }
  }
  [[gnu::always_inline]] void weights(std::size_t row, __m256 (&out)[kVectors]) const {
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i words = bytes_[row % 2][half];
      offset_floats(row < 2 ? _mm256_and_si256(words, _mm256_set1_epi16(0x00ff))
                            : _mm256_srli_epi16(words, 8),
                    out[half * 2], out[half * 2 + 1]);
    }
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j)
      out[j] = _mm256_fmsub_ps(out[j], scales_[j], offsets_[j]);
  }

 private:
  __m256 scales_[kVectors] = {};
  __m256 offsets_[kVectors] = {};  // what the offset of the bytes becomes
  __m256i bytes_[2][2] = {};       // low nibbles (rows 0 and 2), high nibbles; half lines
};

// f(row of the bf16 tile, expander, row of the line) for a panel of a step, ascending.
template <class Expander, class F>
[[gnu::always_inline]] inline void for_each_row(Expander& expander, const std::byte* step,
                                                std::size_t panel, F f) {
  constexpr std::size_t kGroups = Expander::kLines / Expander::kGroupLines;
  for (std::size_t line = 0; line < Expander::kLines; ++line) {
    if (line % Expander::kGroupLines == 0)
      expander.begin_group(step, panel * kGroups + line / Expander::kGroupLines);
    expander.begin_line(step + panel * Expander::kPanelBytes + line * kLine);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Expander::kRows; ++row)
      f(line * Expander::kRows + row, expander, row);
  }
}

// 32 numbers of a row, as floats in memory, from which a pair is broadcast by a load.
struct RowFloats {
  alignas(32) float numbers[32];

  [[gnu::always_inline]] void take(const std::byte* row) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const __m128i eight = _mm_load_si128(reinterpret_cast<const __m128i*>(row) + i);
      _mm256_store_si256(reinterpret_cast<__m256i*>(numbers) + i,
                         _mm256_slli_epi32(_mm256_cvtepu16_epi32(eight), 16));
    }
  }
  // k, k + 1, k, k + 1, ...
  [[gnu::always_inline]] __m256 pair(std::size_t i) const {
    double two;
    std::memcpy(&two, numbers + 2 * i, sizeof(two));
    return _mm256_castpd_ps(_mm256_set1_pd(two));
  }
};

// Adds even and odd chains of 16 columns to their sums.
[[gnu::always_inline]] inline void add_chains(const __m256 (&chains)[kVectors], float* out) {
#pragma GCC unroll 2
  for (std::size_t half = 0; half < 2; ++half) {
    const __m256 sums = _mm256_hadd_ps(chains[half * 2], chains[half * 2 + 1]);
    _mm256_store_ps(out + half * 8, _mm256_add_ps(_mm256_load_ps(out + half * 8), sums));
  }
}

// out += left · one panel of a step.
template <class Expander, std::size_t Rows>
void add_step(const std::byte* left, const std::byte* step, std::size_t panel, float* out) {
  __m256 chains[Rows][kVectors];
  RowFloats rows[Rows];
#pragma GCC unroll 2
  for (std::size_t m = 0; m < Rows; ++m) {
    rows[m].take(left + m * kRowBytes);
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) chains[m][j] = _mm256_setzero_ps();
  }
  Expander panel_expander;
  for_each_row(panel_expander, step, panel,
               [&](std::size_t tile_row, const Expander& expander, std::size_t row) {
                 __m256 w[kVectors];
                 expander.weights(row, w);
#pragma GCC unroll 2
                 for (std::size_t m = 0; m < Rows; ++m) {
                   const __m256 x = rows[m].pair(tile_row);
#pragma GCC unroll 4
                   for (std::size_t j = 0; j < kVectors; ++j)
                     chains[m][j] = _mm256_fmadd_ps(x, w[j], chains[m][j]);
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

// Upper halves of two vectors of floats: columns in order again.
[[gnu::always_inline]] inline __m256i upper_halves(__m256 first, __m256 second) {
  return _mm256_packus_epi32(_mm256_srli_epi32(_mm256_castps_si256(first), 16),
                             _mm256_srli_epi32(_mm256_castps_si256(second), 16));
}

template <class Expander>
void expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  Expander panel_expander;
  for (std::size_t i = 0; i < count; ++i, steps += Expander::kStepBytes)
    for (std::size_t panel = 0; panel < 2; ++panel, tiles += kTileBytes)
      for_each_row(panel_expander, steps, panel,
                   [&](std::size_t tile_row, const Expander& expander, std::size_t row) {
                     __m256 w[kVectors];
                     expander.weights(row, w);
                     auto* to = reinterpret_cast<__m256i*>(tiles + tile_row * kRowBytes);
                     _mm256_store_si256(to, upper_halves(w[0], w[1]));
                     _mm256_store_si256(to + 1, upper_halves(w[2], w[3]));
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
