// SPDX-License-Identifier: MIT
// Between fp32 rows of any width and tiles.
#pragma once

#include <array>
#include <cstddef>

#include "kernels/attention/attention_kernel.h"
#include "kernels/attention/walk.h"
#include "tensor/packed.h"

namespace vl2 {

// 32 rows of numbers, side by side as lanes or one below the other as keys; null: zeros.
using RowPointers = std::array<const float*, kLanes>;

// log2(e): softmax works with powers of two.
inline constexpr float kLog2E = 1.44269504F;

// Writes `width` numbers of each lane, times `factor`, as pairs of right tiles for
// tiles_of(width, 32) tiles of depth, the rest of the last one zero; only the first `panels`
// panels.
void pack_lanes(const AttentionKernel& kernel, const RowPointers& lanes, std::size_t width,
                float factor, std::size_t panels, std::byte* right);

// Writes columns 32 * pair .. 32 * pair + 31 of 32 keys as a pair of right tiles; columns from
// `width` on are zero.
void pack_values(const AttentionKernel& kernel, const RowPointers& keys, std::size_t width,
                 std::size_t pair, std::byte* tiles);

// Where the output of a row block goes: row r to row place[r].row of `out`, to columns
// place[r].head * width and on.
struct HeadOutput {
  struct Place {
    std::size_t row = 0;
    std::size_t head = 0;
  };
  Packed out;
  std::size_t width = 0;  // of a head
  std::array<Place, kLanes> place{};
};
// Divides the output by its sums and writes it, whatever the alignment of the heads. `room` has 32
// rows of the padded width.
void store_heads(const AttentionKernel& kernel, const AttentionState& state, std::size_t rows,
                 const HeadOutput& output, std::byte* room);

// Zeroes the rows and columns of the last tiles that no output row covers.
void zero_padding(const Packed& packed);

}  // namespace vl2
