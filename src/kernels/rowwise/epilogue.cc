// SPDX-License-Identifier: MIT
// What is done to a block of sums [32][32] on its way out. A block that reaches beyond the output
// goes the same way through a copy that is zero there, so a number never depends on it.
#include <cstring>

#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/epilogue.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/exp_inl.h"
#include "kernels/rowwise/functions_inl.h"
#include "kernels/rowwise/group_inl.h"
#include "kernels/rowwise/lanes_inl.h"
#include "kernels/rowwise/operand_inl.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

// How many of `most` columns from `column` on there are.
HWY_INLINE std::size_t columns_left(std::size_t width, std::size_t column, std::size_t most) {
  const std::size_t left = column < width ? width - column : 0;
  return left < most ? left : most;
}

// The first `count` of `most` numbers, then zeros.
HWY_INLINE void copy_padded(const float* x, std::size_t count, std::size_t most, float* out) {
  for (std::size_t i = 0; i < most; ++i) out[i] = i < count ? x[i] : 0.0F;
}

// The bias of 32 columns, zero where there is none.
HWY_INLINE void load_bias(const float* bias, std::size_t column, std::size_t columns, float* out) {
  copy_padded(bias == nullptr ? out : bias + column, bias == nullptr ? 0 : columns, kPairColumns,
              out);
}

// How many rows of `columns` numbers are worked on together: eight vectors or a row.
constexpr std::size_t rows_at_once(std::size_t columns) {
  return columns < 8 * kLanes ? 8 * kLanes / columns : 1;
}

// run(i, line) for i = 0, `together`, ... while there are rows; `line` is Packed::line of row i and
// the first output column. It writes the lines of `together` rows, 16 or 32 numbers each. Then the
// padding rows of the last row tile are filled with zeros, `bytes` each.
template <std::size_t together, class Run>
HWY_INLINE void for_each_line(const Packed& out, std::size_t column, const BlockPlace& place,
                              std::size_t bytes, Run run) {
  const std::size_t line_bytes = kTileDepth * bytes_of(out.operand);
  for (std::size_t first = 0; first < place.rows; first += kTileRows) {
    std::byte* tile = out.line(0, place.row + first, column);
    const std::size_t left = place.rows - first;
    const std::size_t rows = left < kTileRows ? left : kTileRows;
    for (std::size_t i = 0; i < rows; i += together) run(first + i, tile + i * line_bytes);
    for (std::size_t i = rows; i < kTileRows; ++i) std::memset(tile + i * line_bytes, 0, bytes);
  }
}

template <Gelu kind, Operand operand>
void store_gelu(const StoreGelu& to, const float* block, const BlockPlace& place) {
  constexpr std::size_t kRows = rows_at_once(kPairColumns);
  constexpr std::size_t kVectors = kRows * kPairColumns / kLanes;
  const std::size_t columns = columns_left(to.out.width, place.column, kPairColumns);
  HWY_ALIGN float bias[kPairColumns];
  load_bias(to.bias, place.column, columns, bias);
  HWY_ALIGN float padded[kRows * kPairColumns];
  const auto run = [&](std::size_t row, std::byte* line) HWY_ATTR {
    const float* sums = block + row * kPairColumns;
    if (columns < kPairColumns) {
      for (std::size_t i = 0; i < kRows; ++i)
        copy_padded(sums + i * kPairColumns, columns, kPairColumns, padded + i * kPairColumns);
      sums = padded;
    }
    Group<kVectors> x;
    for (std::size_t i = 0; i < kVectors; ++i)
      x.vectors[i] = hn::Add(load(sums + i * kLanes, Whole()),
                             load(bias + i * kLanes % kPairColumns, Whole()));
    x = kind == Gelu::tanh ? gelu_tanh(x) : gelu_erf(x);
    for (std::size_t i = 0; i < kVectors; ++i)
      store_operand<operand>(x.vectors[i], line, i * kLanes);
  };
  for_each_line<kRows>(to.out, place.column, place, kTileDepth * bytes_of(operand), run);
}

template <Operand operand>
void store_gated(const StoreGated& to, const float* block, const BlockPlace& place) {
  constexpr std::size_t kRows = rows_at_once(kTileColumns);
  constexpr std::size_t kVectors = kRows * kTileColumns / kLanes;
  const std::size_t column = place.column / 2;
  const std::size_t columns = columns_left(to.out.width, column, kTileColumns);
  // The other half of a line of 32 belongs to the next pair, or to nobody.
  const bool last = column % kTileDepth == 0 && column + kTileColumns >= to.out.width;
  const std::size_t half = kTileColumns * bytes_of(operand);
  HWY_ALIGN float padded[kRows * kPairColumns];
  const auto run = [&](std::size_t row, std::byte* line) HWY_ATTR {
    const float* sums = block + row * kPairColumns;
    if (columns < kTileColumns) {
      for (std::size_t i = 0; i < 2 * kRows; ++i)
        copy_padded(sums + i * kTileColumns, columns, kTileColumns, padded + i * kTileColumns);
      sums = padded;
    }
    Group<kVectors> gate;
    Group<kVectors> up;
    for (std::size_t i = 0; i < kVectors; ++i) {
      const float* place_of = sums + i * kLanes / kTileColumns * kPairColumns;
      gate.vectors[i] = load(place_of + i * kLanes % kTileColumns, Whole());
      up.vectors[i] = load(place_of + kTileColumns + i * kLanes % kTileColumns, Whole());
    }
    const Group<kVectors> x = mul(silu(gate), up);
    for (std::size_t i = 0; i < kVectors; ++i) {
      const std::size_t number = i * kLanes;
      store_operand<operand>(x.vectors[i], line,
                             number / kTileColumns * kTileDepth + number % kTileColumns);
    }
    if (last)
      for (std::size_t i = 0; i < kRows; ++i) std::memset(line + (2 * i + 1) * half, 0, half);
  };
  for_each_line<kRows>(to.out, column, place, last ? 2 * half : half, run);
}

template <bool adds>
void store_rows(const StoreRows& to, const float* block, const BlockPlace& place) {
  const std::size_t columns = columns_left(to.out.width, place.column, kPairColumns);
  HWY_ALIGN float bias[kPairColumns];
  load_bias(to.bias, place.column, columns, bias);
  for (std::size_t row = 0; row < place.rows; ++row) {
    const float* sums = block + row * kPairColumns;
    float* out = to.out.row(place.row + row) + place.column;
    for_each_vector(columns, [&](std::size_t i, auto lanes) HWY_ATTR {
      Floats value = hn::Add(load(sums + i, lanes), load(bias + i, Whole()));
      if constexpr (adds) value = hn::Add(load(out + i, lanes), value);
      store(value, out + i, lanes);
    });
  }
}

}  // namespace

void finish_rows(const StoreRows& to, const float* block, const BlockPlace& place) {
  if (to.add)
    store_rows<true>(to, block, place);
  else
    store_rows<false>(to, block, place);
}

void finish_gelu(const StoreGelu& to, const float* block, const BlockPlace& place) {
  if (to.out.operand == Operand::bf16) {
    if (to.gelu == Gelu::tanh)
      store_gelu<Gelu::tanh, Operand::bf16>(to, block, place);
    else
      store_gelu<Gelu::erf, Operand::bf16>(to, block, place);
  } else {
    if (to.gelu == Gelu::tanh)
      store_gelu<Gelu::tanh, Operand::f32>(to, block, place);
    else
      store_gelu<Gelu::erf, Operand::f32>(to, block, place);
  }
}

void finish_gated(const StoreGated& to, const float* block, const BlockPlace& place) {
  if (to.out.operand == Operand::bf16)
    store_gated<Operand::bf16>(to, block, place);
  else
    store_gated<Operand::f32>(to, block, place);
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
