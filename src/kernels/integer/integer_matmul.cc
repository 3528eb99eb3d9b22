// SPDX-License-Identifier: MIT
#include "kernels/integer/integer_matmul.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/integer/integer_kernel.h"

namespace vl2 {
namespace {

// Codes of a block of rows stay in the second-level cache beside an expanded pair of panels.
constexpr std::size_t kLeftBytes = std::size_t{600} << 10;
constexpr std::size_t kMaxBlockRows = 384;
constexpr std::size_t kUnitsEach = 8;

// Grows to the largest pair that a thread meets.
std::byte* expanded_tiles(std::size_t bytes) {
  thread_local AlignedBuffer t_tiles;
  if (t_tiles.size() < bytes) t_tiles = AlignedBuffer(bytes);
  return t_tiles.data();
}

struct Product {
  const KernelSet& kernels;
  const IntegerRows& x;
  const Weight& weight;
  const Epilogue& epilogue;
  std::size_t block_rows = 0;  // a multiple of 32

  std::size_t row_blocks() const noexcept { return tiles_of(x.count, block_rows); }
  // Ordered [row block][pair], so that a contiguous share reads weights as one stream.
  std::size_t units() const noexcept { return row_blocks() * weight.pairs(); }
  void run(Share share) const;
  void multiply(Share rows, std::size_t pair, const std::byte* tiles) const;
};

std::size_t block_rows_of(const IntegerRows& x, const Weight& weight, std::size_t threads) {
  const std::size_t row_bytes = x.row_tile_bytes() / kTileRows;
  const std::size_t fitting = std::clamp(kLeftBytes / row_bytes, kBlockRows, kMaxBlockRows);
  const std::size_t coarsest = tiles_of(x.count, fitting / kBlockRows * kBlockRows);
  const std::size_t finest = tiles_of(x.count, kBlockRows);
  const std::size_t wanted = threads == 1 ? 1 : kUnitsEach * threads;
  const std::size_t blocks = std::clamp(tiles_of(wanted, weight.pairs()), coarsest, finest);
  return round_up(tiles_of(x.count, blocks), kBlockRows);
}

void Product::run(Share share) const {
  const IntegerKernel& kernel = *kernels.integer;
  std::byte* tiles = expanded_tiles(x.depth_tiles() * kernel.tile_bytes);
  for (std::size_t unit = share.begin; unit < share.end; ++unit) {
    const std::size_t row = unit / weight.pairs() * block_rows;
    const std::size_t pair = unit % weight.pairs();
    kernel.expand(weight.pair(0, pair), weight.depth_tiles(), tiles);
    multiply({row, std::min(x.count, row + block_rows)}, pair, tiles);
  }
}

void Product::multiply(Share rows, std::size_t pair, const std::byte* tiles) const {
  alignas(64) std::int32_t sums[kBlockRows * kPairColumns];
  alignas(64) float block[kBlockRows * kPairColumns];
  for (std::size_t row = rows.begin; row < rows.end; row += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, rows.end - row);
    kernels.integer->run({.left = x.line(row, 0),
                          .left_row_tile_bytes = x.row_tile_bytes(),
                          .right = tiles,
                          .depth_tiles = x.depth_tiles(),
                          .rows = count,
                          .out = sums});
    kernels.rowwise->scale_integers(sums,
                                    {.count = count,
                                     .row_scales = &x.scales[row],
                                     .row_sums = &x.sums[row],
                                     .code_offset = kernels.integer->code_offset,
                                     .multipliers = weight.multipliers(0, pair)},
                                    block);
    kernels.rowwise->finish_block(epilogue, block, {row, count, pair * kPairColumns});
  }
}

}  // namespace

IntegerRows quantize_rows(const KernelSet& kernels, const ThreadTeam& team, const Packed& x,
                          Arena& arena) {
  VL2_ASSERT(x.operand == Operand::bf16 && x.stack == 1);
  IntegerRows out;
  out.count = x.count;
  out.width = x.width;
  out.scales = arena.array<float>(x.count);
  out.sums = arena.array<std::int32_t>(x.count);
  const std::size_t bytes = tiles_of(x.count, kTileRows) * out.row_tile_bytes();
  out.codes = arena.array<std::int8_t>(bytes).data();
  team.split(x.count, kTileRows, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const IntegerRow row =
          kernels.rowwise->quantize_row(x.line(0, i, 0), x.width, out.line(i, 0));
      out.scales[i] = row.scale;
      out.sums[i] = row.sum;
    }
  });
  return out;
}

void integer_matmul(const KernelSet& kernels, const ThreadTeam& team, const IntegerRows& x,
                    const Weight& weight, const Epilogue& epilogue) {
  VL2_ASSERT(weight.format() == WeightFormat::int8 && weight.stack() == 1);
  VL2_ASSERT(x.width == weight.depth() && x.width <= kMostIntegerDepth);
  if (x.count == 0 || weight.columns() == 0) return;
  const auto threads = static_cast<std::size_t>(team.size());
  const Product product{kernels, x, weight, epilogue, block_rows_of(x, weight, threads)};
  team.split(product.units(), 1,
             [&](std::size_t begin, std::size_t end) { product.run({begin, end}); });
}

}  // namespace vl2
