// SPDX-License-Identifier: MIT
#include "kernels/attention/rows_to_tiles.h"

#include <algorithm>
#include <cstring>

namespace vl2 {
namespace {

alignas(64) constexpr float kZeros[kTileDepth] = {};

// Pointers to 32 numbers of `Count` rows from column `first` on. What lies beyond `width` is not
// read: the last columns are copied next to zeros.
template <std::size_t Count>
class Columns {
 public:
  Columns(const float* const* rows, std::size_t width, std::size_t first) {
    const std::size_t present = std::min(kTileDepth, width - first);
    for (std::size_t i = 0; i < Count; ++i) {
      if (rows[i] == nullptr) {
        pointers_[i] = kZeros;
      } else if (present == kTileDepth) {
        pointers_[i] = rows[i] + first;
      } else {
        std::copy_n(rows[i] + first, present, copies_[i]);
        std::fill(copies_[i] + present, copies_[i] + kTileDepth, 0.0F);
        pointers_[i] = copies_[i];
      }
    }
  }
  const float* const* pointers() const { return pointers_; }

 private:
  const float* pointers_[Count];
  alignas(64) float copies_[Count][kTileDepth];
};

// Heads of other widths than multiples of 32 are copied so many numbers at a time, if they can.
constexpr std::size_t kChunk = 8;

// Copies a row of a left operand to another one, beginning at a column that is a multiple of Step.
template <std::size_t Step>
void copy_row(const std::byte* from, std::size_t width, const Packed& out, std::size_t row,
              std::size_t column) {
  const std::size_t bytes = bytes_of(out.operand);
  std::byte* line = out.line(0, row, 0);
  const auto offset = [&](std::size_t k) {
    return (k / kTileDepth * kTileNumbers + k % kTileDepth) * bytes;
  };
  for (std::size_t i = 0; i < width; i += Step) {
    std::byte* to = line + offset(column + i);
    if (out.operand == Operand::bf16)
      std::memcpy(to, from + offset(i), Step * sizeof(Bf16));
    else
      std::memcpy(to, from + offset(i), Step * sizeof(float));
  }
}

}  // namespace

void pack_lanes(const AttentionKernel& kernel, const RowPointers& lanes, std::size_t width,
                float factor, std::size_t panels, std::byte* right) {
  const std::size_t tile_bytes = kTileNumbers * bytes_of(kernel.operand);
  for (std::size_t depth = 0; depth < width; depth += kTileDepth)
    for (std::size_t panel = 0; panel < panels; ++panel) {
      const Columns<kTileColumns> columns(lanes.data() + panel * kTileColumns, width, depth);
      kernel.query_tile(columns.pointers(), factor,
                        right + (depth / kTileDepth * 2 + panel) * tile_bytes);
    }
}

void pack_values(const AttentionKernel& kernel, const RowPointers& keys, std::size_t width,
                 std::size_t pair, std::byte* tiles) {
  const Columns<kLanes> columns(keys.data(), width, pair * kPairColumns);
  kernel.value_tiles(columns.pointers(), tiles);
}

void store_heads(const AttentionKernel& kernel, const AttentionState& state, std::size_t rows,
                 const HeadOutput& output, std::byte* room) {
  const auto& [out, width, place] = output;
  const std::size_t pairs = tiles_of(width, kPairColumns);
  const bool aligned = width % kTileDepth == 0;
  std::array<std::byte*, kLanes> lines{};
  for (std::size_t r = 0; r < rows; ++r)
    lines[r] = aligned ? out.line(0, place[r].row, place[r].head * width)
                       : room + left_index(r, 0, pairs) * bytes_of(out.operand);
  kernel.finish(state, pairs, rows, lines.data());
  if (aligned) return;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t column = place[r].head * width;
    if (width % kChunk == 0)
      copy_row<kChunk>(lines[r], width, out, place[r].row, column);
    else
      copy_row<1>(lines[r], width, out, place[r].row, column);
  }
}

void zero_padding(const Packed& packed) {
  const std::size_t line_bytes = kTileDepth * bytes_of(packed.operand);
  const std::size_t padded = packed.row_tiles() * kTileRows;
  const std::size_t left_over = packed.width % kTileDepth;
  for (std::size_t i = 0; i < packed.stack; ++i) {
    for (std::size_t row = packed.count; row < padded; ++row)
      for (std::size_t k = 0; k < packed.width; k += kTileDepth)
        std::memset(packed.line(i, row, k), 0, line_bytes);
    if (left_over == 0) continue;
    const std::size_t written = left_over * bytes_of(packed.operand);
    for (std::size_t row = 0; row < packed.count; ++row)
      std::memset(packed.line(i, row, packed.width - left_over) + written, 0, line_bytes - written);
  }
}

}  // namespace vl2
