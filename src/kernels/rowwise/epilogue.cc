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

// row(i, line) for every row of the block, where line is Packed::line of its first output column;
// padding rows of the last row tile are filled with zeros, `bytes` each.
template <class Row>
HWY_INLINE void for_each_line(const Packed& out, std::size_t column, const BlockPlace& place,
                              std::size_t bytes, Row row) {
  for (std::size_t first = 0; first < place.rows; first += kTileRows) {
    std::byte* line = out.line(0, place.row + first, column);
    for (std::size_t i = first; i < first + kTileRows; ++i) {
      if (i < place.rows)
        row(i, line);
      else
        std::memset(line, 0, bytes);
      line += kTileDepth * bytes_of(out.operand);
    }
  }
}

template <Gelu kind, Operand operand>
void store_gelu(const StoreGelu& to, const float* block, const BlockPlace& place) {
  const std::size_t columns = columns_left(to.out.width, place.column, kPairColumns);
  HWY_ALIGN float bias[kPairColumns];
  load_bias(to.bias, place.column, columns, bias);
  HWY_ALIGN float padded[kPairColumns];
  for_each_line(to.out, place.column, place, kTileDepth * bytes_of(operand),
                [&](std::size_t row, std::byte* line) HWY_ATTR {
                  const float* sums = block + row * kPairColumns;
                  if (columns < kPairColumns) {
                    copy_padded(sums, columns, kPairColumns, padded);
                    sums = padded;
                  }
                  for (std::size_t i = 0; i < kPairColumns; i += kLanes) {
                    const Floats x = hn::Add(load(sums + i, Whole()), load(bias + i, Whole()));
                    store_operand<operand>(kind == Gelu::tanh ? gelu_tanh(x) : gelu_erf(x), line,
                                           i);
                  }
                });
}

template <Operand operand>
void store_gated(const StoreGated& to, const float* block, const BlockPlace& place) {
  const std::size_t column = place.column / 2;
  const std::size_t columns = columns_left(to.out.width, column, kTileColumns);
  // The other half of a line of 32 belongs to the next pair, or to nobody.
  const bool last = column % kTileDepth == 0 && column + kTileColumns >= to.out.width;
  const std::size_t bytes = (last ? kTileDepth : kTileColumns) * bytes_of(operand);
  HWY_ALIGN float padded[kPairColumns];
  for_each_line(to.out, column, place, bytes, [&](std::size_t row, std::byte* line) HWY_ATTR {
    const float* sums = block + row * kPairColumns;
    if (columns < kTileColumns) {
      copy_padded(sums, columns, kTileColumns, padded);
      copy_padded(sums + kTileColumns, columns, kTileColumns, padded + kTileColumns);
      sums = padded;
    }
    for (std::size_t i = 0; i < kTileColumns; i += kLanes) {
      const Floats gate = load(sums + i, Whole());
      const Floats up = load(sums + kTileColumns + i, Whole());
      store_operand<operand>(hn::Mul(silu(gate), up), line, i);
    }
    if (last) std::memset(line + bytes / 2, 0, bytes / 2);
  });
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
