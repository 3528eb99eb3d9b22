// SPDX-License-Identifier: MIT
#include "kernels/matmul/matmul.h"

#include <algorithm>

#include "base/check.h"

namespace vl2 {
namespace {

// Activations of a block of rows stay in the second-level cache while all weights pass by once.
constexpr std::size_t kLeftBytes = std::size_t{900} << 10;
constexpr std::size_t kMaxBlockRows = 384;
// With fewer units of work a thread, rows are cut finer, so that shares differ less.
constexpr std::size_t kUnitsEach = 8;

// How a product is cut: every unit is one block of rows with one pair of panels. Units are ordered
// [matrix][row block][pair], so a contiguous share of them reads weights as one stream.
struct Plan {
  std::size_t block_rows = 0;  // a multiple of 32
  std::size_t row_blocks = 0;
  std::size_t pairs = 0;

  std::size_t units_each() const noexcept { return row_blocks * pairs; }
};

Plan plan_of(const Packed& x, const Weight& weight, std::size_t threads) {
  const std::size_t row_bytes = x.row_tile_bytes() / kTileRows;
  const std::size_t fitting = std::clamp(kLeftBytes / row_bytes, kBlockRows, kMaxBlockRows);
  std::size_t blocks = tiles_of(x.count, fitting / kBlockRows * kBlockRows);
  const std::size_t finest = tiles_of(x.count, kBlockRows);
  const std::size_t wanted = threads == 1 ? 1 : kUnitsEach * threads;
  blocks = std::clamp(tiles_of(wanted, weight.stack() * weight.pairs()), blocks, finest);
  const std::size_t rows = round_up(tiles_of(x.count, blocks), kBlockRows);
  return {rows, tiles_of(x.count, rows), weight.pairs()};
}

struct Product {
  const KernelSet& kernels;
  const Packed& x;
  const Weight& weight;
  std::span<const Epilogue> epilogues;
  Plan plan;

  // What thread `share` does.
  void run(Share share) const;
  void run_unit(std::size_t unit, bool last) const;
  const std::byte* pair_of(std::size_t unit) const noexcept {
    return weight.pair(unit / plan.units_each(), unit % plan.pairs);
  }
};

void Product::run_unit(std::size_t unit, bool last) const {
  alignas(64) float sums[kBlockRows * kPairColumns];
  const std::size_t matrix = unit / plan.units_each();
  const std::size_t pair = unit % plan.pairs;
  const std::size_t begin = unit % plan.units_each() / plan.pairs * plan.block_rows;
  const std::size_t end = std::min(x.count, begin + plan.block_rows);
  const std::size_t columns_left = weight.columns() - pair * kPairColumns;
  const std::byte* next = last ? nullptr : pair_of(unit + 1);
  const std::size_t next_share =
      round_up(weight.pair_bytes() / tiles_of(end - begin, kBlockRows), 64);
  for (std::size_t row = begin; row < end; row += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, end - row);
    kernels.matmul->run({.left = x.line(matrix, row, 0),
                         .left_row_tile_bytes = x.row_tile_bytes(),
                         .right = weight.pair(matrix, pair),
                         .depth_tiles = x.depth_tiles(),
                         .rows = rows,
                         .panels = columns_left > kTileColumns ? 2U : 1U,
                         .out = sums,
                         .ahead = next,
                         .ahead_bytes = next_share});
    if (next != nullptr) next += next_share;
    kernels.rowwise->finish_block(epilogues[matrix], sums, {row, rows, pair * kPairColumns});
  }
}

void Product::run(Share share) const {
  if (share.begin == share.end) return;
  const FlushDenormals flush;
  kernels.matmul->configure(std::min(x.count, kTileRows));
  for (std::size_t unit = share.begin; unit < share.end; ++unit)
    run_unit(unit, unit + 1 == share.end);
  kernels.matmul->release();
}

void run_product(const KernelSet& kernels, const ThreadTeam& team, const Packed& x,
                 const Weight& weight, std::span<const Epilogue> epilogues) {
  VL2_ASSERT(x.operand == kernels.operand && operand_of(weight.format()) == x.operand);
  VL2_ASSERT(x.width == weight.depth());
  if (x.count == 0 || weight.columns() == 0) return;
  const auto threads = static_cast<std::size_t>(team.size());
  const Product product{kernels, x, weight, epilogues, plan_of(x, weight, threads)};
  const std::size_t units = weight.stack() * product.plan.units_each();
  team.split(units, 1, [&](std::size_t begin, std::size_t end) { product.run({begin, end}); });
}

}  // namespace

void matmul(const KernelSet& kernels, const ThreadTeam& team, const Packed& x, const Weight& weight,
            const Epilogue& epilogue) {
  VL2_ASSERT(x.stack == 1 && weight.stack() == 1);
  run_product(kernels, team, x, weight, {&epilogue, 1});
}

void matmul_stack(const KernelSet& kernels, const ThreadTeam& team, const Packed& x,
                  const Weight& weight, std::span<const Epilogue> epilogues) {
  VL2_ASSERT(x.stack == weight.stack() && epilogues.size() == weight.stack());
  run_product(kernels, team, x, weight, epilogues);
}

}  // namespace vl2
