// SPDX-License-Identifier: MIT
// Quantized weights to bf16 by table, 64 at a time (VBMI). A table of 128 bf16 numbers, kept as low
// and high bytes, is looked up by a magnitude of 7 bits (int8), or by 3 bits of a scale's fraction
// and 4 of a code (int4), to which the scale's sign and exponent are then added as integers.
// Interleaving low and high bytes gives rows of a bf16 tile.
// Included by files that are compiled for AVX-512.
#pragma once

#include <immintrin.h>

#include "tensor/format/int4.h"
#include "tensor/format/int8.h"

namespace vl2::matmul_functions {
namespace {

struct alignas(64) ByteTable {
  unsigned char bytes[128];
};
enum class Half { low, high };

constexpr ByteTable int8_table(Half half) {
  ByteTable table{};
  for (unsigned i = 0; i < 128; ++i) {
    const unsigned bits = int8::bf16_bits(static_cast<unsigned char>(i));
    table.bytes[i] = static_cast<unsigned char>(half == Half::low ? bits & 0xffU : bits >> 8);
  }
  return table;
}
// Index: fraction * 16 + code.
constexpr ByteTable int4_table(Half half) {
  ByteTable table{};
  for (unsigned i = 0; i < 128; ++i) {
    const unsigned bits =
        int4::bf16_bits(static_cast<unsigned char>(i & 15U), static_cast<unsigned char>(i >> 4));
    table.bytes[i] = static_cast<unsigned char>(half == Half::low ? bits & 0xffU : bits >> 8);
  }
  return table;
}
constexpr ByteTable kInt8Tables[2] = {int8_table(Half::low), int8_table(Half::high)};
constexpr ByteTable kInt4Tables[2] = {int4_table(Half::low), int4_table(Half::high)};

// Which scale of a group of 16 columns the bytes of a line of codes have.
struct alignas(64) Lanes {
  unsigned char bytes[64];
};
constexpr Lanes kColumns = [] {
  Lanes lanes{};
  for (unsigned i = 0; i < 64; ++i) lanes.bytes[i] = static_cast<unsigned char>(i / 4);
  return lanes;
}();

// Tables of a format in registers, for as long as an object lives.
class ByteTables {
 public:
  explicit ByteTables(const ByteTable (&tables)[2])
      : low_{_mm512_load_si512(tables[0].bytes), _mm512_load_si512(tables[0].bytes + 64)},
        high_{_mm512_load_si512(tables[1].bytes), _mm512_load_si512(tables[1].bytes + 64)} {}
  // Bit 7 of an index does not matter.
  __m512i low(__m512i index) const { return _mm512_permutex2var_epi8(low_[0], index, low_[1]); }
  __m512i high(__m512i index) const { return _mm512_permutex2var_epi8(high_[0], index, high_[1]); }

 private:
  __m512i low_[2];
  __m512i high_[2];
};

class Int8Expander {
 public:
  static constexpr std::size_t kStepBytes = int8::kStepBytes;
  static constexpr std::size_t kPanelBytes = int8::kPanelBytes;
  static constexpr std::size_t kLines = 8;       // of a panel
  static constexpr std::size_t kGroupLines = 8;  // of those that share scales
  static constexpr std::size_t kRows = 2;        // of a bf16 tile, in a line

  // What a group's lines need.
  struct Scales {};

  Int8Expander() : tables_(kInt8Tables) {}
  [[gnu::always_inline]] static Scales scales_of(const std::byte* /*step*/, std::size_t /*panel*/,
                                                 std::size_t /*group*/) {
    return {};
  }
  [[gnu::always_inline]] void expand(const std::byte* line, const Scales& /*scales*/,
                                     __m512i (&rows)[kRows]) const {
    const __m512i codes = _mm512_loadu_si512(line);
    const __m512i low = tables_.low(codes);
    // high | (codes & 0x80)
    const __m512i high = _mm512_ternarylogic_epi64(tables_.high(codes), codes,
                                                   _mm512_set1_epi8(static_cast<char>(0x80)), 0xf8);
    rows[0] = _mm512_unpacklo_epi8(low, high);
    rows[1] = _mm512_unpackhi_epi8(low, high);
  }

 private:
  ByteTables tables_;
};

class Int4Expander {
 public:
  static constexpr std::size_t kStepBytes = int4::kStepBytes;
  static constexpr std::size_t kPanelBytes = int4::kPanelBytes;
  static constexpr std::size_t kLines = 4;
  static constexpr std::size_t kGroupLines = 2;
  static constexpr std::size_t kRows = 4;

  struct Scales {
    __m512i fractions;            // beside each code, in bits 6..4 of its byte
    __m512i signs_and_exponents;  // of each bf16 number
  };

  Int4Expander() : tables_(kInt4Tables) {}
  [[gnu::always_inline]] static Scales scales_of(const std::byte* step, std::size_t panel,
                                                 std::size_t group) {
    const __m512i scales = _mm512_broadcast_i32x4(_mm_loadu_si128(
        reinterpret_cast<const __m128i*>(step + int4::kScalesOffset + panel * 32 + group * 16)));
    // Both bytes of a word are the scale: the sign stands where a bf16 number has it, the exponent
    // is moved to where it is added, and fractions come to stand in both bytes.
    const __m512i words = _mm512_permutexvar_epi8(_mm512_load_si512(kColumns.bytes), scales);
    const __m512i moved = _mm512_slli_epi16(words, 4);
    const __m512i exponents = _mm512_and_si512(moved, _mm512_set1_epi16(0x0780));
    return {moved,
            // exponents | (words & 0x8000)
            _mm512_ternarylogic_epi64(exponents, words,
                                      _mm512_set1_epi16(static_cast<short>(0x8000)), 0xf8)};
  }
  [[gnu::always_inline]] void expand(const std::byte* line, const Scales& scales,
                                     __m512i (&rows)[kRows]) const {
    const __m512i codes = _mm512_loadu_si512(line);
    expand_nibbles(codes, scales, rows[0], rows[2]);
    expand_nibbles(_mm512_srli_epi16(codes, 4), scales, rows[1], rows[3]);
  }

 private:
  // Low bytes of words hold the codes of one row, high bytes of the other.
  [[gnu::always_inline]] void expand_nibbles(__m512i codes, const Scales& scales, __m512i& first,
                                             __m512i& second) const {
    // Bits 3..0 of the codes, the others of the fractions.
    const __m512i index =
        _mm512_ternarylogic_epi64(_mm512_set1_epi8(15), codes, scales.fractions, 0xca);
    const __m512i low = tables_.low(index);
    const __m512i high = tables_.high(index);
    const __m512i low_bytes = _mm512_set1_epi16(0x00ff);
    first = _mm512_ternarylogic_epi64(low_bytes, low, _mm512_slli_epi16(high, 8), 0xca);
    second = _mm512_ternarylogic_epi64(low_bytes, _mm512_srli_epi16(low, 8), high, 0xca);
    first = _mm512_add_epi16(first, scales.signs_and_exponents);
    second = _mm512_add_epi16(second, scales.signs_and_exponents);
  }

  ByteTables tables_;
};

// f(panel, row of its bf16 tile, 32 numbers) for the rows of `Panels` panels of a step, ascending.
// Panels take turns after every line, so that chains of dependent sums run side by side. The stream
// is fetched `Ahead` bytes before its use, in the order of addresses: in the order of the turns it
// came at half the speed.
template <std::size_t Panels, std::size_t Ahead, class Expander, class F>
[[gnu::always_inline]] inline void for_each_row(const Expander& expander, const std::byte* step,
                                                F f) {
  typename Expander::Scales scales[Panels];
#pragma GCC unroll 8
  for (std::size_t line = 0; line < Expander::kLines; ++line)
#pragma GCC unroll 2
    for (std::size_t panel = 0; panel < Panels; ++panel) {
      if (line % Expander::kGroupLines == 0)
        scales[panel] = Expander::scales_of(step, panel, line / Expander::kGroupLines);
      // In the order of addresses, whichever line it is the turn of.
      constexpr std::size_t kFetches = Expander::kLines * Panels;
      constexpr std::size_t kStepLines = Expander::kStepBytes / 64;
      const std::size_t turn = line * Panels + panel;
#pragma GCC unroll 4
      for (std::size_t i = turn * kStepLines / kFetches; i < (turn + 1) * kStepLines / kFetches;
           ++i)
        _mm_prefetch(step + Ahead + i * 64, _MM_HINT_T0);
      __m512i rows[Expander::kRows];
      expander.expand(step + panel * Expander::kPanelBytes + line * 64, scales[panel], rows);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < Expander::kRows; ++i)
        f(panel, line * Expander::kRows + i, rows[i]);
    }
}

}  // namespace
}  // namespace vl2::matmul_functions
