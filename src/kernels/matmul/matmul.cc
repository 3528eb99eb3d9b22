// SPDX-License-Identifier: MIT
#include "kernels/matmul/matmul.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/matmul/sweep.h"

namespace vl2 {
namespace {

// Activations of a block of rows stay in the second-level cache while all weights pass by once.
constexpr std::size_t kLeftBytes = std::size_t{900} << 10;
constexpr std::size_t kMaxBlockRows = 384;
// With fewer units of work a thread, rows are cut finer, so that shares differ less.
constexpr std::size_t kUnitsEach = 8;

// How a product is cut: a unit is one block of rows with one pair of panels. Units are ordered
// [matrix][row block][pair], so a contiguous share of them reads weights as one stream.
struct Plan {
  std::size_t block_rows = 0;  // a multiple of 32
  std::size_t row_blocks = 0;
  std::size_t pairs = 0;
};

Plan plan_of(const Packed& x, const Weight& weight, std::size_t threads) {
  const std::size_t row_bytes = x.row_tile_bytes() / kTileRows;
  const std::size_t fitting = std::clamp(kLeftBytes / row_bytes, kBlockRows, kMaxBlockRows);
  const std::size_t coarsest = tiles_of(x.count, fitting / kBlockRows * kBlockRows);
  const std::size_t finest = tiles_of(x.count, kBlockRows);
  const std::size_t wanted = threads == 1 ? 1 : kUnitsEach * threads;
  const std::size_t blocks =
      std::clamp(tiles_of(wanted, weight.stack() * weight.pairs()), coarsest, finest);
  const std::size_t rows = round_up(tiles_of(x.count, blocks), kBlockRows);
  return {rows, tiles_of(x.count, rows), weight.pairs()};
}

struct Product {
  const KernelSet& kernels;
  const Packed& x;
  const Weight& weight;
  std::span<const Epilogue> epilogues;
  Plan plan;

  std::size_t units() const noexcept { return weight.stack() * plan.row_blocks * plan.pairs; }
  void run(Share units) const;
};

void Product::run(Share units) const {
  const ProductScope scope(kernels, x.count);
  for (std::size_t unit = units.begin; unit < units.end;) {
    const std::size_t block = unit / plan.pairs;
    const std::size_t matrix = block / plan.row_blocks;
    const std::size_t row = block % plan.row_blocks * plan.block_rows;
    const std::size_t next = std::min(units.end, (block + 1) * plan.pairs);
    sweep({kernels,
           x.matrix(matrix),
           weight,
           matrix,
           {row, std::min(x.count, row + plan.block_rows)},
           {unit - block * plan.pairs, next - block * plan.pairs},
           epilogues[matrix],
           next < units.end ? weight.pair(next / plan.pairs / plan.row_blocks, 0) : nullptr});
    unit = next;
  }
}

void run_product(const KernelSet& kernels, const ThreadTeam& team, const Packed& x,
                 const Weight& weight, std::span<const Epilogue> epilogues) {
  VL2_ASSERT(x.operand == kernels.operand && operand_of(weight.format()) == x.operand);
  VL2_ASSERT(x.width == weight.depth());
  if (x.count == 0 || weight.columns() == 0) return;
  const auto threads = static_cast<std::size_t>(team.size());
  const Product product{kernels, x, weight, epilogues, plan_of(x, weight, threads)};
  team.split(product.units(), 1,
             [&](std::size_t begin, std::size_t end) { product.run({begin, end}); });
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
