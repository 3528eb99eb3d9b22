// SPDX-License-Identifier: MIT
// The parts of attention that are written per instruction set. The walk over blocks, segments and
// pages is one piece of code for all of them (walk.h); products are MatmulKernel's.
//
// Up to 32 query rows are worked on at once and stand side by side as lanes: scores are made
// transposed, [key][lane], so that maximum and sum run down the keys without a step across lanes.
// Every function treats a lane (later: a row) as if it were alone, NaN and infinity included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "tensor/tiles.h"

namespace vl2 {

// Query rows that stand side by side: the columns of a pair of panels.
inline constexpr std::size_t kLanes = kPairColumns;
// Scores are in units of log 2. A masked one is this, and its probability is exactly zero: it lies
// infinitely far below kNoMaximum for floats, whose exponential is zero below -127.
inline constexpr float kMaskedScore = -1e30F;
// The maximum of a lane that has seen no key.
inline constexpr float kNoMaximum = -1e29F;

// Running softmax of 32 query rows. The output is not yet divided by the sum.
struct AttentionState {
  float* out = nullptr;      // [pair of value columns][32 rows][32 columns], 64-byte aligned
  float* maximum = nullptr;  // [32]
  float* sum = nullptr;      // [32]
};

// Scores of one block of keys against up to 32 query rows.
struct SoftmaxBlock {
  float* scores = nullptr;             // [keys][32 lanes]; masked ones are overwritten
  std::size_t keys = 0;                // a multiple of 32
  std::size_t lane_groups = 2;         // 1: only lanes 0..15 are worked on
  const std::int32_t* seen = nullptr;  // [32] how many keys of the block each lane sees; null: all
  std::byte* probabilities = nullptr;  // out: left tiles [lane group][keys / 32][16][32]
  float* maximum = nullptr;            // [32], brought up to date
  float* sum = nullptr;                // [32], brought up to date
  float* factor = nullptr;             // out: [32] what older results must be multiplied with
};

// With flush-to-zero set on the thread (FlushDenormals), all kernels of an operand type give the
// same bits. The portable ones are the definition.
struct AttentionKernel {
  const char* name;
  Isa isa;
  Operand operand;

  // maximum' = max(maximum, scores), p = 2^(score - maximum'), factor = 2^(maximum - maximum'),
  // sum' = sum * factor + (sum of p over even keys + sum of p over odd keys); p is then rounded to
  // the operand type. Returns whether a maximum grew; where it did not, factor is exactly 1.
  bool (*softmax)(const SoftmaxBlock& block);
  // out[pair][row][...] *= factor[row] for the first `rows` rows.
  void (*rescale)(float* out, std::size_t pairs, std::size_t rows, const float* factor);
  // Adds the keys that `from` has seen to those of `into`. A row that saw none in `from` stays.
  void (*merge)(const AttentionState& into, const AttentionState& from, std::size_t pairs,
                std::size_t rows);
  // Divides by the sum and rounds: row r's columns 32j .. 32j + 31 go to lines[r] + j tiles, as
  // the rows of a left operand lie. Zero is never negative.
  void (*finish)(const AttentionState& state, std::size_t pairs, std::size_t rows,
                 std::byte* const* lines);

  // One right tile out of 32 numbers of each of 16 lanes, multiplied by `factor` and rounded.
  void (*query_tile)(const float* const* lanes, float factor, std::byte* tile);
  // A pair of right tiles out of 32 numbers of each of 32 keys, rounded.
  void (*value_tiles)(const float* const* keys, std::byte* pair);
  // A pair of right tiles (32 columns) out of two left tiles with the same columns of 32 keys.
  void (*turn_tiles)(const std::byte* keys_0_to_15, const std::byte* keys_16_to_31,
                     std::byte* pair);
};

std::span<const AttentionKernel> attention_kernels();
// The kernel of an instruction set, or of the nearest plainer one that has it.
const AttentionKernel& attention_kernel(Isa isa, Operand operand);

}  // namespace vl2
