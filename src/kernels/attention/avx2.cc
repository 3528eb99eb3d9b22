// SPDX-License-Identifier: MIT
// AVX2 and FMA. Eight lanes fill a register; probabilities become rows by transpositions of 8 x 8
// double words.
#include <immintrin.h>

#include "kernels/attention/exp2_polynomial.h"
#include "kernels/attention/kernel_tables.h"

namespace vl2 {
namespace {

constexpr std::size_t kGroup = 8;  // lanes of a register

__m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
void store(void* to, __m256i x) { _mm256_storeu_si256(static_cast<__m256i*>(to), x); }

__m256 exp2_nonpositive(__m256 t) {
  t = _mm256_max_ps(t, _mm256_set1_ps(kExp2Lowest));
  const __m256 n = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256 f = _mm256_sub_ps(t, n);
  __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(kExp2C5), f, _mm256_set1_ps(kExp2C4));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(kExp2C3));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(kExp2C2));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(kExp2C1));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0F));
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

void transpose(__m256i (&r)[8]) {
  __m256i t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) r[i] = t[i];
}

// The bits of the nearest bf16, ties to even, in the upper half of each double word; what is left
// in the lower half does not count. A NaN stays one.
__m256i rounded_upper(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
  const __m256i rounded = _mm256_add_epi32(bits, up);
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256 is_nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(is_nan));
}

// Rounds both and puts the numbers of one place side by side, `even` first.
__m256i rounded_pairs(__m256 even, __m256 odd) {
  return _mm256_blend_epi16(_mm256_srli_epi32(rounded_upper(even), 16), rounded_upper(odd), 0xaa);
}

// Sixteen numbers in order, rounded.
__m256i rounded_row(__m256 first, __m256 second) {
  const __m256i packed = _mm256_packus_epi32(_mm256_srli_epi32(rounded_upper(first), 16),
                                             _mm256_srli_epi32(rounded_upper(second), 16));
  return _mm256_permute4x64_epi64(packed, 0xd8);
}

void mask_scores(const SoftmaxBlock& block, std::size_t first) {
  const __m256i seen = load(block.seen + first);
  const __m256 masked = _mm256_set1_ps(kMaskedScore);
  std::int32_t seen_by_all = block.seen[first];
  for (std::size_t i = first; i < first + kGroup; ++i)
    if (block.seen[i] < seen_by_all) seen_by_all = block.seen[i];
  for (auto key = static_cast<std::size_t>(seen_by_all); key < block.keys; ++key) {
    float* scores = block.scores + key * kLanes + first;
    const __m256i visible = _mm256_cmpgt_epi32(seen, _mm256_set1_epi32(static_cast<int>(key)));
    _mm256_storeu_ps(
        scores, _mm256_blendv_ps(masked, _mm256_loadu_ps(scores), _mm256_castsi256_ps(visible)));
  }
}

__m256 largest(const float* scores, std::size_t keys, __m256 before) {
  __m256 m0 = before;
  __m256 m1 = before;
  for (std::size_t key = 0; key < keys; key += 2) {
    m0 = _mm256_max_ps(_mm256_loadu_ps(scores + key * kLanes), m0);
    m1 = _mm256_max_ps(_mm256_loadu_ps(scores + (key + 1) * kLanes), m1);
  }
  return _mm256_max_ps(m0, m1);
}

// Running sums over even and odd keys.
struct Sums {
  __m256 even = _mm256_setzero_ps();
  __m256 odd = _mm256_setzero_ps();
};

// Probabilities of 16 keys (f32: 8) for 8 lanes: 32 bytes of 8 rows of a left tile.
template <Operand operand>
void exponentials(const float* scores, __m256 maximum, Sums& sums, std::byte* rows_out) {
  constexpr std::size_t kRowBytes = kTileDepth * (operand == Operand::bf16 ? 2 : 4);
  __m256i rows[8];
  if constexpr (operand == Operand::bf16) {
    for (std::size_t i = 0; i < 8; ++i) {
      const float* pair = scores + 2 * i * kLanes;
      const __m256 even = exp2_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(pair), maximum));
      const __m256 odd = exp2_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(pair + kLanes), maximum));
      sums.even = _mm256_add_ps(sums.even, even);
      sums.odd = _mm256_add_ps(sums.odd, odd);
      rows[i] = rounded_pairs(even, odd);
    }
  } else {
    for (std::size_t i = 0; i < 8; ++i) {
      const __m256 score = _mm256_loadu_ps(scores + i * kLanes);
      const __m256 p = exp2_nonpositive(_mm256_sub_ps(score, maximum));
      __m256& sum = i % 2 == 0 ? sums.even : sums.odd;
      sum = _mm256_add_ps(sum, p);
      rows[i] = _mm256_castps_si256(p);
    }
  }
  transpose(rows);
  for (std::size_t lane = 0; lane < 8; ++lane) store(rows_out + lane * kRowBytes, rows[lane]);
}

template <Operand operand>
bool softmax(const SoftmaxBlock& block) {
  constexpr std::size_t kNumberBytes = operand == Operand::bf16 ? 2 : 4;
  constexpr std::size_t kStep = 32 / kNumberBytes;  // keys that fill 32 bytes of a row
  const std::size_t row_tile_bytes = block.keys * kTileRows * kNumberBytes;
  bool grown = false;
  for (std::size_t first = 0; first < block.lane_groups * kTileRows; first += kGroup) {
    if (block.seen != nullptr) mask_scores(block, first);
    const float* scores = block.scores + first;
    const __m256 before = _mm256_loadu_ps(block.maximum + first);
    const __m256 maximum = largest(scores, block.keys, before);
    std::byte* rows = block.probabilities + first / kTileRows * row_tile_bytes +
                      first % kTileRows * kTileDepth * kNumberBytes;
    Sums sums;
    for (std::size_t key = 0; key < block.keys; key += kStep)
      exponentials<operand>(
          scores + key * kLanes, maximum, sums,
          rows + (key / kTileDepth * kTileNumbers + key % kTileDepth) * kNumberBytes);
    const __m256 factor = exp2_nonpositive(_mm256_sub_ps(before, maximum));
    const __m256 sum = _mm256_loadu_ps(block.sum + first);
    _mm256_storeu_ps(block.factor + first, factor);
    _mm256_storeu_ps(block.sum + first,
                     _mm256_fmadd_ps(sum, factor, _mm256_add_ps(sums.even, sums.odd)));
    _mm256_storeu_ps(block.maximum + first, maximum);
    if (_mm256_movemask_ps(_mm256_cmp_ps(maximum, before, _CMP_GT_OQ)) != 0) grown = true;
  }
  return grown;
}

void rescale(float* out, std::size_t pairs, std::size_t rows, const float* factor) {
  for (std::size_t pair = 0; pair < pairs; ++pair)
    for (std::size_t row = 0; row < rows; ++row) {
      float* to = out + (pair * kLanes + row) * kPairColumns;
      const __m256 f = _mm256_set1_ps(factor[row]);
      for (std::size_t i = 0; i < kPairColumns; i += 8)
        _mm256_storeu_ps(to + i, _mm256_mul_ps(_mm256_loadu_ps(to + i), f));
    }
}

void merge(const AttentionState& into, const AttentionState& from, std::size_t pairs,
           std::size_t rows) {
  alignas(32) float old_factor[kLanes];
  alignas(32) float new_factor[kLanes];
  for (std::size_t first = 0; first < rows; first += kGroup) {
    const __m256 old_maximum = _mm256_loadu_ps(into.maximum + first);
    const __m256 new_maximum = _mm256_loadu_ps(from.maximum + first);
    const __m256 maximum = _mm256_max_ps(old_maximum, new_maximum);
    const __m256 f_old = exp2_nonpositive(_mm256_sub_ps(old_maximum, maximum));
    const __m256 f_new = exp2_nonpositive(_mm256_sub_ps(new_maximum, maximum));
    const __m256 added = _mm256_mul_ps(_mm256_loadu_ps(from.sum + first), f_new);
    _mm256_storeu_ps(into.maximum + first, maximum);
    _mm256_storeu_ps(into.sum + first,
                     _mm256_fmadd_ps(_mm256_loadu_ps(into.sum + first), f_old, added));
    _mm256_store_ps(old_factor + first, f_old);
    _mm256_store_ps(new_factor + first, f_new);
  }
  for (std::size_t pair = 0; pair < pairs; ++pair)
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t place = (pair * kLanes + row) * kPairColumns;
      const __m256 f_old = _mm256_set1_ps(old_factor[row]);
      const __m256 f_new = _mm256_set1_ps(new_factor[row]);
      for (std::size_t i = place; i < place + kPairColumns; i += 8) {
        const __m256 added = _mm256_mul_ps(_mm256_loadu_ps(from.out + i), f_new);
        _mm256_storeu_ps(into.out + i,
                         _mm256_fmadd_ps(_mm256_loadu_ps(into.out + i), f_old, added));
      }
    }
}

template <Operand operand>
void finish(const AttentionState& state, std::size_t pairs, std::size_t rows,
            std::byte* const* lines) {
  constexpr std::size_t kTileBytes = kTileNumbers * (operand == Operand::bf16 ? 2 : 4);
  for (std::size_t row = 0; row < rows; ++row) {
    const __m256 inverse = _mm256_set1_ps(1.0F / state.sum[row]);
    const auto result = [&](const float* from) __attribute__((always_inline)) {
      return _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(from), inverse), _mm256_setzero_ps());
    };
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const float* from = state.out + (pair * kLanes + row) * kPairColumns;
      std::byte* to = lines[row] + pair * kTileBytes;
      if constexpr (operand == Operand::bf16) {
        store(to, rounded_row(result(from), result(from + 8)));
        store(to + 32, rounded_row(result(from + 16), result(from + 24)));
      } else {
        for (std::size_t i = 0; i < kPairColumns; i += 8)
          store(to + i * 4, _mm256_castps_si256(result(from + i)));
      }
    }
  }
}

// 32 bytes of depth (16 numbers, f32: 8) of 8 lanes, lanes side by side.
template <Operand operand>
void query_part(const float* const* lanes, std::size_t depth, __m256 factor, std::byte* to) {
  __m256i rows[8];
  for (std::size_t lane = 0; lane < 8; ++lane) {
    const __m256 a = _mm256_mul_ps(_mm256_loadu_ps(lanes[lane] + depth), factor);
    if constexpr (operand == Operand::bf16) {
      const __m256 b = _mm256_mul_ps(_mm256_loadu_ps(lanes[lane] + depth + 8), factor);
      rows[lane] = rounded_row(a, b);
    } else {
      rows[lane] = _mm256_castps_si256(a);
    }
  }
  transpose(rows);
  for (std::size_t i = 0; i < 8; ++i) store(to + i * 64, rows[i]);
}

template <Operand operand>
void query_tile(const float* const* lanes, float factor, std::byte* tile) {
  constexpr std::size_t kStep = operand == Operand::bf16 ? 16 : 8;
  const __m256 scale = _mm256_set1_ps(factor);
  for (std::size_t half = 0; half < 2; ++half)
    for (std::size_t depth = 0; depth < kTileDepth; depth += kStep)
      query_part<operand>(lanes + half * 8, depth, scale,
                          tile + depth / kStep * 8 * 64 + half * 32);
}

void value_tiles_f32(const float* const* keys, std::byte* pair) {
  for (std::size_t key = 0; key < kTileDepth; ++key)
    for (std::size_t i = 0; i < 4; ++i)
      store(pair + i / 2 * (kTileNumbers * 4) + key * 64 + i % 2 * 32, load(keys[key] + i * 8));
}

void value_tiles_bf16(const float* const* keys, std::byte* pair) {
  for (std::size_t key = 0; key < kTileDepth; key += 2)
    for (std::size_t i = 0; i < 4; ++i)
      store(pair + i / 2 * (kTileNumbers * 2) + key * 32 + i % 2 * 32,
            rounded_pairs(_mm256_loadu_ps(keys[key] + i * 8),
                          _mm256_loadu_ps(keys[key + 1] + i * 8)));
}

void turn_tiles_f32(const std::byte* keys_0_to_15, const std::byte* keys_16_to_31,
                    std::byte* pair) {
  const float* rows[kTileDepth];
  for (std::size_t key = 0; key < kTileRows; ++key) {
    rows[key] = reinterpret_cast<const float*>(keys_0_to_15) + key * kTileDepth;
    rows[kTileRows + key] = reinterpret_cast<const float*>(keys_16_to_31) + key * kTileDepth;
  }
  value_tiles_f32(rows, pair);
}

void turn_half(const std::byte* keys, std::byte* pair) {
  for (std::size_t i = 0; i < kTileRows / 2; ++i)
    for (std::size_t panel = 0; panel < 2; ++panel) {
      const __m256i even = load(keys + 2 * i * 64 + panel * 32);
      const __m256i odd = load(keys + (2 * i + 1) * 64 + panel * 32);
      const __m256i low = _mm256_unpacklo_epi16(even, odd);
      const __m256i high = _mm256_unpackhi_epi16(even, odd);
      std::byte* to = pair + panel * (kTileNumbers * 2) + i * 64;
      store(to, _mm256_permute2x128_si256(low, high, 0x20));
      store(to + 32, _mm256_permute2x128_si256(low, high, 0x31));
    }
}

void turn_tiles_bf16(const std::byte* keys_0_to_15, const std::byte* keys_16_to_31,
                     std::byte* pair) {
  turn_half(keys_0_to_15, pair);
  turn_half(keys_16_to_31, pair + kTileNumbers);
}

}  // namespace

AttentionKernel attention_avx2(Operand operand) {
  if (operand == Operand::f32)
    return {"attention_f32_avx2",
            Isa::avx2,
            operand,
            softmax<Operand::f32>,
            rescale,
            merge,
            finish<Operand::f32>,
            query_tile<Operand::f32>,
            value_tiles_f32,
            turn_tiles_f32};
  return {"attention_bf16_avx2",
          Isa::avx2,
          operand,
          softmax<Operand::bf16>,
          rescale,
          merge,
          finish<Operand::bf16>,
          query_tile<Operand::bf16>,
          value_tiles_bf16,
          turn_tiles_bf16};
}

}  // namespace vl2
