// SPDX-License-Identifier: MIT
// The definition of what every attention kernel computes.
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/attention/exp2_polynomial.h"
#include "kernels/attention/kernel_tables.h"

namespace vl2 {
namespace {

float exp2_nonpositive(float t) {
  if (!(t > kExp2Lowest)) return 0.0F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves an integer
  const float n = (t + kRound) - kRound;
  const float f = t - n;
  float p = std::fmaf(kExp2C5, f, kExp2C4);
  p = std::fmaf(p, f, kExp2C3);
  p = std::fmaf(p, f, kExp2C2);
  p = std::fmaf(p, f, kExp2C1);
  p = std::fmaf(p, f, 1.0F);
  const auto power = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
  return p * std::bit_cast<float>(power);
}

template <class T>
T round_to(float value) {
  if constexpr (sizeof(T) == sizeof(float))
    return value;
  else
    return to_bf16(value);
}

// Number `depth` of column `column` inside a right tile.
template <class T>
std::size_t inside_right_tile(std::size_t depth, std::size_t column) {
  if constexpr (sizeof(T) == sizeof(float))
    return depth * kTileColumns + column;
  else
    return depth / 2 * (2 * kTileColumns) + column * 2 + depth % 2;
}

void mask_lane(const SoftmaxBlock& block, std::size_t lane) {
  for (std::size_t key = 0; key < block.keys; ++key)
    if (static_cast<std::int32_t>(key) >= block.seen[lane])
      block.scores[key * kLanes + lane] = kMaskedScore;
}

template <class T>
bool softmax_lane(const SoftmaxBlock& block, std::size_t lane) {
  const float before = block.maximum[lane];
  float maximum = before;
  for (std::size_t key = 0; key < block.keys; ++key) {
    const float score = block.scores[key * kLanes + lane];
    maximum = score > maximum ? score : maximum;
  }
  float sums[2] = {0.0F, 0.0F};
  auto* tiles = reinterpret_cast<T*>(block.probabilities) +
                lane / kTileRows * (block.keys / kTileDepth) * kTileNumbers +
                lane % kTileRows * kTileDepth;
  for (std::size_t key = 0; key < block.keys; ++key) {
    const float p = exp2_nonpositive(block.scores[key * kLanes + lane] - maximum);
    sums[key % 2] += p;
    tiles[key / kTileDepth * kTileNumbers + key % kTileDepth] = round_to<T>(p);
  }
  const float factor = exp2_nonpositive(before - maximum);
  block.factor[lane] = factor;
  block.sum[lane] = std::fmaf(block.sum[lane], factor, sums[0] + sums[1]);
  block.maximum[lane] = maximum;
  return maximum > before;
}

template <class T>
bool softmax(const SoftmaxBlock& block) {
  bool grown = false;
  for (std::size_t lane = 0; lane < block.lane_groups * kTileColumns; ++lane) {
    if (block.seen != nullptr) mask_lane(block, lane);
    if (softmax_lane<T>(block, lane)) grown = true;
  }
  return grown;
}

void rescale(float* out, std::size_t pairs, std::size_t rows, const float* factor) {
  for (std::size_t pair = 0; pair < pairs; ++pair)
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t i = 0; i < kPairColumns; ++i)
        out[(pair * kLanes + row) * kPairColumns + i] *= factor[row];
}

void merge(const AttentionState& into, const AttentionState& from, std::size_t pairs,
           std::size_t rows) {
  for (std::size_t row = 0; row < rows; ++row) {
    const float maximum =
        into.maximum[row] > from.maximum[row] ? into.maximum[row] : from.maximum[row];
    const float old_factor = exp2_nonpositive(into.maximum[row] - maximum);
    const float new_factor = exp2_nonpositive(from.maximum[row] - maximum);
    into.maximum[row] = maximum;
    into.sum[row] = std::fmaf(into.sum[row], old_factor, from.sum[row] * new_factor);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const std::size_t first = (pair * kLanes + row) * kPairColumns;
      for (std::size_t i = first; i < first + kPairColumns; ++i)
        into.out[i] = std::fmaf(into.out[i], old_factor, from.out[i] * new_factor);
    }
  }
}

template <class T>
void finish(const AttentionState& state, std::size_t pairs, std::size_t rows,
            std::byte* const* lines) {
  for (std::size_t row = 0; row < rows; ++row) {
    const float inverse = 1.0F / state.sum[row];
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const float* from = state.out + (pair * kLanes + row) * kPairColumns;
      T* to = reinterpret_cast<T*>(lines[row]) + pair * kTileNumbers;
      for (std::size_t i = 0; i < kPairColumns; ++i) to[i] = round_to<T>(from[i] * inverse + 0.0F);
    }
  }
}

template <class T>
void query_tile(const float* const* lanes, float factor, std::byte* tile) {
  T* to = reinterpret_cast<T*>(tile);
  for (std::size_t lane = 0; lane < kTileColumns; ++lane)
    for (std::size_t depth = 0; depth < kTileDepth; ++depth)
      to[inside_right_tile<T>(depth, lane)] = round_to<T>(lanes[lane][depth] * factor);
}

template <class T>
void value_tiles(const float* const* keys, std::byte* pair) {
  T* to = reinterpret_cast<T*>(pair);
  for (std::size_t key = 0; key < kTileDepth; ++key)
    for (std::size_t column = 0; column < kPairColumns; ++column)
      to[column / kTileColumns * kTileNumbers + inside_right_tile<T>(key, column % kTileColumns)] =
          round_to<T>(keys[key][column]);
}

template <class T>
void turn_tiles(const std::byte* keys_0_to_15, const std::byte* keys_16_to_31, std::byte* pair) {
  T* to = reinterpret_cast<T*>(pair);
  for (std::size_t key = 0; key < kTileDepth; ++key) {
    const std::byte* tile = key < kTileRows ? keys_0_to_15 : keys_16_to_31;
    const T* from = reinterpret_cast<const T*>(tile) + key % kTileRows * kTileDepth;
    for (std::size_t column = 0; column < kPairColumns; ++column)
      to[column / kTileColumns * kTileNumbers + inside_right_tile<T>(key, column % kTileColumns)] =
          from[column];
  }
}

template <class T>
AttentionKernel kernel_of(const char* name, Operand operand) {
  return {name,  Isa::portable, operand,       softmax<T>,     rescale,
          merge, finish<T>,     query_tile<T>, value_tiles<T>, turn_tiles<T>};
}

}  // namespace

AttentionKernel attention_portable(Operand operand) {
  return operand == Operand::f32 ? kernel_of<float>("attention_f32_portable", operand)
                                 : kernel_of<Bf16>("attention_bf16_portable", operand);
}

}  // namespace vl2
