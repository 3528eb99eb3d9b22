// SPDX-License-Identifier: MIT
// int4 in an order of its own: the products of a group of 16 k with its levels are summed from
// zero, two k at a time by vdpbf16ps, and the sum is multiplied by the scale and added to the
// others in one rounding. A weight so costs a look-up and a product, where a bf16 number with the
// scale in it would cost twice as many operations; many rows pay with one operation in nine.
#include <cstring>

#include <immintrin.h>

#include "kernels/matmul/expanded_step.h"
#include "kernels/matmul/quantized_functions.h"
#include "tensor/format/int4.h"

namespace vl2::matmul_functions {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kOutColumns = 32;
constexpr std::size_t kChunkRows = 8;
constexpr std::size_t kLine = 64;
constexpr std::size_t kTileBytes = 1024;
constexpr std::size_t kGroups = 2;      // of a step
constexpr std::size_t kGroupRows = 8;   // of a bf16 tile
constexpr std::size_t kGroupLines = 2;  // of codes
constexpr std::size_t kLineRows = 4;
constexpr std::size_t kLines = kGroups * kGroupLines;  // of a panel
constexpr std::size_t kExpandAhead = 1024;

// Levels as bf16 numbers, twice: of the five bits that a look-up takes the last does not matter.
struct alignas(64) LevelTable {
  std::uint16_t bits[32];
};
constexpr LevelTable kLevelTable = [] {
  LevelTable table{};
  // A scale of 1.
  for (unsigned i = 0; i < 32; ++i)
    table.bits[i] =
        int4::bf16_bits(static_cast<std::uint8_t>(i % int4::kLevelCount), int4::kExponentBias << 3);
  return table;
}();

// A line of codes as four rows of a bf16 tile.
[[gnu::always_inline]] inline void look_up(__m512i table, const std::byte* line,
                                           __m512i (&rows)[kLineRows]) {
  const __m512i codes = _mm512_loadu_si512(line);
  rows[0] = _mm512_permutexvar_epi16(codes, table);
  rows[1] = _mm512_permutexvar_epi16(_mm512_srli_epi16(codes, 4), table);
  rows[2] = _mm512_permutexvar_epi16(_mm512_srli_epi16(codes, 8), table);
  rows[3] = _mm512_permutexvar_epi16(_mm512_srli_epi16(codes, 12), table);
}

// The scales of 16 columns.
[[gnu::always_inline]] inline __m512 scales_of(const std::byte* step, std::size_t panel,
                                               std::size_t group) {
  const __m512i bytes = _mm512_cvtepi8_epi32(_mm_loadu_si128(
      reinterpret_cast<const __m128i*>(step + int4::kScalesOffset + panel * 32 + group * 16)));
  // (bytes << 20 & sign and size) | exponent of 2^-15, whose bits no size has
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
      _mm512_slli_epi32(bytes, 20), _mm512_set1_epi32(static_cast<int>(0x87f00000U)),
      _mm512_set1_epi32((127 - static_cast<int>(int4::kExponentBias)) << 23), 0xea));
}

// The broadcast is part of the product, see avx512.cc.
[[gnu::always_inline]] inline void add_product(__m512& sum, __m512i weights,
                                               const std::byte* left) {
  using Pair = const std::byte[4];
  asm("vdpbf16ps %2%{1to16%}, %1, %0"
      : "+v"(sum)
      : "v"(weights), "m"(*reinterpret_cast<Pair*>(left)));
}

// The part of the next step that is fetched with turn `turn` of the look-ups: in the order of
// addresses, whatever the order of the turns.
template <std::size_t Ahead, std::size_t Turns>
[[gnu::always_inline]] inline void fetch(const std::byte* step, std::size_t turn) {
  constexpr std::size_t kStepLines = int4::kStepBytes / kLine;
#pragma GCC unroll 8
  for (std::size_t i = turn * kStepLines / Turns; i < (turn + 1) * kStepLines / Turns; ++i)
    _mm_prefetch(step + Ahead + i * kLine, _MM_HINT_T0);
}

// Up to 8 rows of one row tile.
struct Chunk {
  const std::byte* left;
  const std::byte* right;
  std::size_t depth_tiles;
  float* out;
  bool accumulate;
  const std::byte* ahead;  // fetched into the second-level cache, `ahead_lines` a step
  std::size_t ahead_lines;
};

template <std::size_t Rows, std::size_t Panels>
using Sums = __m512[Rows][Panels];

template <std::size_t Rows, std::size_t Panels>
[[gnu::always_inline]] inline void load_sums(const Chunk& chunk, Sums<Rows, Panels>& sums) {
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      sums[m][p] = chunk.accumulate ? _mm512_load_ps(chunk.out + m * kOutColumns + p * 16)
                                    : _mm512_setzero_ps();
}
template <std::size_t Rows, std::size_t Panels>
[[gnu::always_inline]] inline void store_sums(const Chunk& chunk, const Sums<Rows, Panels>& sums) {
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      _mm512_store_ps(chunk.out + m * kOutColumns + p * 16, sums[m][p]);
}
template <std::size_t Rows, std::size_t Panels>
[[gnu::always_inline]] inline void set_zero(Sums<Rows, Panels>& sums) {
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Rows; ++m)
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p) sums[m][p] = _mm512_setzero_ps();
}

// Few rows: a panel of a group at a time.
template <std::size_t Rows, std::size_t Panels>
void multiply_steps(const Chunk& chunk) {
  constexpr std::size_t kAhead = Rows <= 2 ? 1536 : 2048;
  Sums<Rows, Panels> sums;
  load_sums<Rows, Panels>(chunk, sums);
  const __m512i table = _mm512_load_si512(kLevelTable.bits);
  const std::byte* left = chunk.left;
  const std::byte* right = chunk.right;
  for (std::size_t step = 0; step < chunk.depth_tiles; ++step) {
#pragma GCC unroll 2
    for (std::size_t group = 0; group < kGroups; ++group)
#pragma GCC unroll 2
      for (std::size_t p = 0; p < Panels; ++p) {
        fetch<kAhead, kGroups * Panels>(right, group * Panels + p);
        Sums<Rows, 1> group_sums;
        set_zero<Rows, 1>(group_sums);
#pragma GCC unroll 2
        for (std::size_t i = 0; i < kGroupLines; ++i) {
          const std::size_t line = group * kGroupLines + i;
          __m512i levels[kLineRows];
          look_up(table, right + p * int4::kPanelBytes + line * kLine, levels);
#pragma GCC unroll 4
          for (std::size_t row = 0; row < kLineRows; ++row)
#pragma GCC unroll 8
            for (std::size_t m = 0; m < Rows; ++m)
              add_product(group_sums[m][0], levels[row],
                          left + m * kLine + (line * kLineRows + row) * 4);
        }
        const __m512 scales = scales_of(right, p, group);
#pragma GCC unroll 8
        for (std::size_t m = 0; m < Rows; ++m)
          sums[m][p] = _mm512_fmadd_ps(group_sums[m][0], scales, sums[m][p]);
      }
    left += kTileBytes;
    right += int4::kStepBytes;
  }
  store_sums<Rows, Panels>(chunk, sums);
}

// Many rows: a broadcast pair of numbers meets both panels of expanded steps.
template <std::size_t Rows, std::size_t Panels>
[[gnu::always_inline]] inline void add_group(const std::byte* left, const std::byte* tiles,
                                             std::size_t group, Sums<Rows, Panels>& sums) {
  Sums<Rows, Panels> group_sums;
  set_zero<Rows, Panels>(group_sums);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kGroupRows; ++i) {
    const std::size_t row = group * kGroupRows + i;
    __m512i levels[Panels];
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Panels; ++p)
      levels[p] = _mm512_load_si512(tiles + p * kTileBytes + row * kLine);
#pragma GCC unroll 8
    for (std::size_t m = 0; m < Rows; ++m) {
      int pair;
      std::memcpy(&pair, left + m * kLine + row * 4, sizeof(pair));
      const __m512i x = _mm512_set1_epi32(pair);
#pragma GCC unroll 2
      for (std::size_t p = 0; p < Panels; ++p)
        group_sums[m][p] = _mm512_dpbf16_ps(group_sums[m][p], reinterpret_cast<__m512bh>(levels[p]),
                                            reinterpret_cast<__m512bh>(x));
    }
  }
#pragma GCC unroll 2
  for (std::size_t p = 0; p < Panels; ++p) {
    const __m512 scales =
        _mm512_load_ps(tiles + kBf16StepBytes + group * kOutColumns * sizeof(float) + p * kLine);
#pragma GCC unroll 8
    for (std::size_t m = 0; m < Rows; ++m)
      sums[m][p] = _mm512_fmadd_ps(group_sums[m][p], scales, sums[m][p]);
  }
}

template <std::size_t Rows, std::size_t Panels>
void multiply_levels(const Chunk& chunk) {
  Sums<Rows, Panels> sums;
  load_sums<Rows, Panels>(chunk, sums);
  const std::byte* left = chunk.left;
  const std::byte* tiles = chunk.right;
  for (std::size_t step = 0; step < chunk.depth_tiles; ++step) {
    for (std::size_t line = 0; line < chunk.ahead_lines; ++line)
      _mm_prefetch(chunk.ahead + (step * chunk.ahead_lines + line) * kLine, _MM_HINT_T1);
#pragma GCC unroll 2
    for (std::size_t group = 0; group < kGroups; ++group)
      add_group<Rows, Panels>(left, tiles, group, sums);
    left += kTileBytes;
    tiles += kLevelStepBytes;
  }
  store_sums<Rows, Panels>(chunk, sums);
}

using ChunkFunction = void (*)(const Chunk&);
// [panels - 1][rows - 1]
using ChunkFunctions = ChunkFunction[2][kChunkRows];
constexpr ChunkFunctions kMultiplySteps = {
    {multiply_steps<1, 1>, multiply_steps<2, 1>, multiply_steps<3, 1>, multiply_steps<4, 1>,
     multiply_steps<5, 1>, multiply_steps<6, 1>, multiply_steps<7, 1>, multiply_steps<8, 1>},
    {multiply_steps<1, 2>, multiply_steps<2, 2>, multiply_steps<3, 2>, multiply_steps<4, 2>,
     multiply_steps<5, 2>, multiply_steps<6, 2>, multiply_steps<7, 2>, multiply_steps<8, 2>}};
constexpr ChunkFunctions kMultiplyLevels = {
    {multiply_levels<1, 1>, multiply_levels<2, 1>, multiply_levels<3, 1>, multiply_levels<4, 1>,
     multiply_levels<5, 1>, multiply_levels<6, 1>, multiply_levels<7, 1>, multiply_levels<8, 1>},
    {multiply_levels<1, 2>, multiply_levels<2, 2>, multiply_levels<3, 2>, multiply_levels<4, 2>,
     multiply_levels<5, 2>, multiply_levels<6, 2>, multiply_levels<7, 2>, multiply_levels<8, 2>}};

void multiply(const BlockProduct& product, const ChunkFunctions& functions) {
  const std::size_t chunks = (product.rows + kChunkRows - 1) / kChunkRows;
  const std::size_t fetches = chunks * product.depth_tiles * kLine;
  const std::size_t ahead_lines =
      product.ahead == nullptr ? 0 : (product.ahead_bytes + fetches - 1) / fetches;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t row = i * kChunkRows;
    const std::size_t rest = product.rows - row;
    const Chunk chunk{
        product.left + row / kTileRows * product.left_row_tile_bytes + row % kTileRows * kLine,
        product.right,
        product.depth_tiles,
        product.out + row * kOutColumns,
        product.accumulate,
        product.ahead + i * product.depth_tiles * ahead_lines * kLine,
        ahead_lines};
    functions[product.panels - 1][(rest < kChunkRows ? rest : kChunkRows) - 1](chunk);
  }
}

}  // namespace

void avx512_int4(const BlockProduct& product) { multiply(product, kMultiplySteps); }
void avx512_int4_on_levels(const BlockProduct& product) { multiply(product, kMultiplyLevels); }

void avx512_int4_levels(const std::byte* steps, std::size_t count, std::byte* expanded) {
  const __m512i table = _mm512_load_si512(kLevelTable.bits);
  for (std::size_t step = 0; step < count; ++step) {
#pragma GCC unroll 2
    for (std::size_t panel = 0; panel < 2; ++panel) {
      fetch<kExpandAhead, 2>(steps, panel);
#pragma GCC unroll 4
      for (std::size_t line = 0; line < kLines; ++line) {
        __m512i levels[kLineRows];
        look_up(table, steps + panel * int4::kPanelBytes + line * kLine, levels);
#pragma GCC unroll 4
        for (std::size_t row = 0; row < kLineRows; ++row)
          _mm512_store_si512(expanded + panel * kTileBytes + (line * kLineRows + row) * kLine,
                             levels[row]);
      }
#pragma GCC unroll 2
      for (std::size_t group = 0; group < kGroups; ++group)
        _mm512_store_ps(expanded + kBf16StepBytes + group * 2 * kLine + panel * kLine,
                        scales_of(steps, panel, group));
    }
    steps += int4::kStepBytes;
    expanded += kLevelStepBytes;
  }
}

}  // namespace vl2::matmul_functions
