// SPDX-License-Identifier: MIT
// AVX-512 with BF16. Sixteen lanes fill a register; probabilities become rows by a transposition of
// 16 x 16 double words.
#include <immintrin.h>

#include "kernels/attention/exp2_polynomial.h"
#include "kernels/attention/kernel_tables.h"

namespace vl2 {
namespace {

constexpr std::size_t kGroup = 16;  // lanes of a register

__m512i as_integers(__m512 x) { return _mm512_castps_si512(x); }
float* floats(std::byte* p) { return reinterpret_cast<float*>(p); }

__m512 exp2_nonpositive(__m512 t) {
  const __m512 n = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(t, n);
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(kExp2C5), f, _mm512_set1_ps(kExp2C4));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(kExp2C3));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(kExp2C2));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(kExp2C1));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

void transpose(__m512i (&r)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
}

// Rounds both and puts the numbers of one place side by side, `even` first.
__m512i rounded_pairs(__m512 even, __m512 odd) {
  const __m512i side_by_side =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                       21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even));
  return _mm512_permutexvar_epi16(side_by_side, both);
}

void mask_scores(const SoftmaxBlock& block, std::size_t group) {
  const __m512i seen = _mm512_loadu_si512(block.seen + group * kGroup);
  const __m512 masked = _mm512_set1_ps(kMaskedScore);
  const auto seen_by_all = static_cast<std::size_t>(_mm512_reduce_min_epi32(seen));
  for (std::size_t key = seen_by_all; key < block.keys; ++key) {
    const __mmask16 unseen =
        _mm512_cmple_epi32_mask(seen, _mm512_set1_epi32(static_cast<int>(key)));
    _mm512_mask_storeu_ps(block.scores + key * kLanes + group * kGroup, unseen, masked);
  }
}

__m512 largest(const float* scores, std::size_t keys, __m512 before) {
  __m512 m0 = before;
  __m512 m1 = before;
  __m512 m2 = before;
  __m512 m3 = before;
  for (std::size_t key = 0; key < keys; key += 4) {
    m0 = _mm512_max_ps(_mm512_loadu_ps(scores + key * kLanes), m0);
    m1 = _mm512_max_ps(_mm512_loadu_ps(scores + (key + 1) * kLanes), m1);
    m2 = _mm512_max_ps(_mm512_loadu_ps(scores + (key + 2) * kLanes), m2);
    m3 = _mm512_max_ps(_mm512_loadu_ps(scores + (key + 3) * kLanes), m3);
  }
  return _mm512_max_ps(_mm512_max_ps(m0, m1), _mm512_max_ps(m2, m3));
}

// Running sums over even and odd keys.
struct Sums {
  __m512 even = _mm512_setzero_ps();
  __m512 odd = _mm512_setzero_ps();
};

// Probabilities of 32 keys as a left tile.
template <Operand operand>
void exponentials(const float* scores, __m512 maximum, Sums& sums, std::byte* tile) {
  __m512i rows[32];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) {
    const float* pair = scores + 2 * i * kLanes;
    const __m512 even = exp2_nonpositive(_mm512_sub_ps(_mm512_loadu_ps(pair), maximum));
    const __m512 odd = exp2_nonpositive(_mm512_sub_ps(_mm512_loadu_ps(pair + kLanes), maximum));
    sums.even = _mm512_add_ps(sums.even, even);
    sums.odd = _mm512_add_ps(sums.odd, odd);
    if constexpr (operand == Operand::bf16) {
      rows[i] = rounded_pairs(even, odd);
    } else {
      rows[2 * i] = as_integers(even);
      rows[2 * i + 1] = as_integers(odd);
    }
  }
  constexpr int kHalves = operand == Operand::bf16 ? 1 : 2;
#pragma GCC unroll 2
  for (int half = 0; half < kHalves; ++half) {
    auto& part = *reinterpret_cast<__m512i(*)[16]>(rows + 16 * half);
    transpose(part);
#pragma GCC unroll 16
    for (int lane = 0; lane < 16; ++lane)
      _mm512_storeu_si512(tile + (lane * kHalves + half) * 64, part[lane]);
  }
}

template <Operand operand>
bool softmax(const SoftmaxBlock& block) {
  constexpr std::size_t kTileBytes = kTileNumbers * (operand == Operand::bf16 ? 2 : 4);
  bool grown = false;
  std::byte* tile = block.probabilities;
  for (std::size_t group = 0; group < block.lane_groups; ++group) {
    if (block.seen != nullptr) mask_scores(block, group);
    const std::size_t first = group * kGroup;
    const float* scores = block.scores + first;
    const __m512 before = _mm512_loadu_ps(block.maximum + first);
    const __m512 maximum = largest(scores, block.keys, before);
    Sums sums;
    for (std::size_t key = 0; key < block.keys; key += kTileDepth, tile += kTileBytes)
      exponentials<operand>(scores + key * kLanes, maximum, sums, tile);
    const __m512 factor = exp2_nonpositive(_mm512_sub_ps(before, maximum));
    const __m512 sum = _mm512_loadu_ps(block.sum + first);
    _mm512_storeu_ps(block.factor + first, factor);
    _mm512_storeu_ps(block.sum + first,
                     _mm512_fmadd_ps(sum, factor, _mm512_add_ps(sums.even, sums.odd)));
    _mm512_storeu_ps(block.maximum + first, maximum);
    if (_mm512_cmp_ps_mask(maximum, before, _CMP_GT_OQ) != 0) grown = true;
  }
  return grown;
}

void rescale(float* out, std::size_t pairs, std::size_t rows, const float* factor) {
  for (std::size_t pair = 0; pair < pairs; ++pair)
    for (std::size_t row = 0; row < rows; ++row) {
      float* to = out + (pair * kLanes + row) * kPairColumns;
      const __m512 f = _mm512_set1_ps(factor[row]);
      _mm512_storeu_ps(to, _mm512_mul_ps(_mm512_loadu_ps(to), f));
      _mm512_storeu_ps(to + 16, _mm512_mul_ps(_mm512_loadu_ps(to + 16), f));
    }
}

void merge(const AttentionState& into, const AttentionState& from, std::size_t pairs,
           std::size_t rows) {
  alignas(64) float old_factor[kLanes];
  alignas(64) float new_factor[kLanes];
  for (std::size_t first = 0; first < rows; first += kGroup) {
    const __m512 old_maximum = _mm512_loadu_ps(into.maximum + first);
    const __m512 new_maximum = _mm512_loadu_ps(from.maximum + first);
    const __m512 maximum = _mm512_max_ps(old_maximum, new_maximum);
    const __m512 f_old = exp2_nonpositive(_mm512_sub_ps(old_maximum, maximum));
    const __m512 f_new = exp2_nonpositive(_mm512_sub_ps(new_maximum, maximum));
    const __m512 added = _mm512_mul_ps(_mm512_loadu_ps(from.sum + first), f_new);
    _mm512_storeu_ps(into.maximum + first, maximum);
    _mm512_storeu_ps(into.sum + first,
                     _mm512_fmadd_ps(_mm512_loadu_ps(into.sum + first), f_old, added));
    _mm512_store_ps(old_factor + first, f_old);
    _mm512_store_ps(new_factor + first, f_new);
  }
  for (std::size_t pair = 0; pair < pairs; ++pair)
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t place = (pair * kLanes + row) * kPairColumns;
      const __m512 f_old = _mm512_set1_ps(old_factor[row]);
      const __m512 f_new = _mm512_set1_ps(new_factor[row]);
#pragma GCC unroll 2
      for (std::size_t i = place; i < place + kPairColumns; i += 16) {
        const __m512 added = _mm512_mul_ps(_mm512_loadu_ps(from.out + i), f_new);
        _mm512_storeu_ps(into.out + i,
                         _mm512_fmadd_ps(_mm512_loadu_ps(into.out + i), f_old, added));
      }
    }
}

template <Operand operand>
void finish(const AttentionState& state, std::size_t pairs, std::size_t rows,
            std::byte* const* lines) {
  constexpr std::size_t kTileBytes = kTileNumbers * (operand == Operand::bf16 ? 2 : 4);
  for (std::size_t row = 0; row < rows; ++row) {
    const __m512 inverse = _mm512_set1_ps(1.0F / state.sum[row]);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const float* from = state.out + (pair * kLanes + row) * kPairColumns;
      const __m512 zero = _mm512_setzero_ps();
      const __m512 a = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(from), inverse), zero);
      const __m512 b = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(from + 16), inverse), zero);
      std::byte* to = lines[row] + pair * kTileBytes;
      if constexpr (operand == Operand::bf16) {
        _mm512_storeu_si512(to, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
      } else {
        _mm512_storeu_ps(to, a);
        _mm512_storeu_ps(to + 64, b);
      }
    }
  }
}

template <Operand operand>
void query_tile(const float* const* lanes, float factor, std::byte* tile) {
  const __m512 scale = _mm512_set1_ps(factor);
  __m512i rows[32];
#pragma GCC unroll 16
  for (int lane = 0; lane < 16; ++lane) {
    const __m512 a = _mm512_mul_ps(_mm512_loadu_ps(lanes[lane]), scale);
    const __m512 b = _mm512_mul_ps(_mm512_loadu_ps(lanes[lane] + 16), scale);
    if constexpr (operand == Operand::bf16) {
      rows[lane] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a));
    } else {
      rows[lane] = as_integers(a);
      rows[16 + lane] = as_integers(b);
    }
  }
  constexpr int kHalves = operand == Operand::bf16 ? 1 : 2;
  for (int half = 0; half < kHalves; ++half) {
    auto& part = *reinterpret_cast<__m512i(*)[16]>(rows + 16 * half);
    transpose(part);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) _mm512_storeu_si512(tile + (half * 16 + i) * 64, part[i]);
  }
}

void value_tiles_f32(const float* const* keys, std::byte* pair) {
  float* to = floats(pair);
  for (std::size_t key = 0; key < kTileDepth; ++key) {
    _mm512_storeu_ps(to + key * 16, _mm512_loadu_ps(keys[key]));
    _mm512_storeu_ps(to + kTileNumbers + key * 16, _mm512_loadu_ps(keys[key] + 16));
  }
}

void value_tiles_bf16(const float* const* keys, std::byte* pair) {
  for (std::size_t i = 0; i < kTileDepth / 2; ++i) {
    const float* even = keys[2 * i];
    const float* odd = keys[2 * i + 1];
    std::byte* to = pair + i * 64;
    _mm512_storeu_si512(to, rounded_pairs(_mm512_loadu_ps(even), _mm512_loadu_ps(odd)));
    _mm512_storeu_si512(to + kTileNumbers * 2,
                        rounded_pairs(_mm512_loadu_ps(even + 16), _mm512_loadu_ps(odd + 16)));
  }
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
  // After unpacking, quarter i of `low` holds columns 8i .. 8i + 3 and of `high` the next four.
  const __m512i columns_0_to_15 = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
  const __m512i columns_16_to_31 = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
  for (std::size_t i = 0; i < kTileRows / 2; ++i) {
    const __m512i even = _mm512_loadu_si512(keys + 2 * i * 64);
    const __m512i odd = _mm512_loadu_si512(keys + (2 * i + 1) * 64);
    const __m512i low = _mm512_unpacklo_epi16(even, odd);
    const __m512i high = _mm512_unpackhi_epi16(even, odd);
    _mm512_storeu_si512(pair + i * 64, _mm512_permutex2var_epi64(low, columns_0_to_15, high));
    _mm512_storeu_si512(pair + kTileNumbers * 2 + i * 64,
                        _mm512_permutex2var_epi64(low, columns_16_to_31, high));
  }
}

void turn_tiles_bf16(const std::byte* keys_0_to_15, const std::byte* keys_16_to_31,
                     std::byte* pair) {
  turn_half(keys_0_to_15, pair);
  turn_half(keys_16_to_31, pair + kTileNumbers);
}

}  // namespace

AttentionKernel attention_avx512(Operand operand) {
  if (operand == Operand::f32)
    return {"attention_f32_avx512",
            Isa::avx512_bf16,
            operand,
            softmax<Operand::f32>,
            rescale,
            merge,
            finish<Operand::f32>,
            query_tile<Operand::f32>,
            value_tiles_f32,
            turn_tiles_f32};
  return {"attention_bf16_avx512",
          Isa::avx512_bf16,
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
