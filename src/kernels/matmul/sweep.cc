// SPDX-License-Identifier: MIT
#include "kernels/matmul/sweep.h"

#include <algorithm>

#include "kernels/matmul/expanded_step.h"
#include "kernels/matmul/quantized_kernel.h"

namespace vl2 {

ProductScope::ProductScope(const KernelSet& kernels, std::size_t rows) : kernel_(*kernels.matmul) {
  kernel_.configure(std::min(rows, kTileRows));
}

namespace {

// What is read after a pair: the next one, or what the thread does afterwards.
const std::byte* pair_after(const Sweep& work, std::size_t pair) {
  return pair + 1 < work.pairs.end ? work.weight.pair(work.matrix, pair + 1) : work.after;
}
std::size_t panels_of(const Weight& weight, std::size_t pair) {
  return weight.columns() - pair * kPairColumns > kTileColumns ? 2U : 1U;
}

// Each pair as it lies, in bf16 or f32, or quantized for few rows.
void sweep_stream(const Sweep& work, const QuantizedKernel* quantized) {
  alignas(64) float sums[kBlockRows * kPairColumns];
  const auto& [kernels, x, weight, matrix, rows, pairs, epilogue, after] = work;
  const auto run = quantized != nullptr ? quantized->run : kernels.matmul->run;
  // The next pair is fetched while this one multiplies, an equal part with every block.
  const std::size_t ahead_bytes =
      round_up(weight.pair_bytes() / tiles_of(rows.end - rows.begin, kBlockRows), 64);
  for (std::size_t pair = pairs.begin; pair < pairs.end; ++pair) {
    const std::byte* ahead = pair_after(work, pair);
    for (std::size_t row = rows.begin; row < rows.end; row += kBlockRows) {
      const std::size_t count = std::min(kBlockRows, rows.end - row);
      run({.left = x.line(0, row, 0),
           .left_row_tile_bytes = x.row_tile_bytes(),
           .right = weight.pair(matrix, pair),
           .depth_tiles = x.depth_tiles(),
           .rows = count,
           .panels = panels_of(weight, pair),
           .out = sums,
           .ahead = ahead,
           .ahead_bytes = ahead_bytes,
           .stream = rows.end - rows.begin <= kTileRows});
      if (ahead != nullptr) ahead += ahead_bytes;
      if (quantized != nullptr) quantized->scale(sums, count, weight.multipliers(matrix, pair));
      kernels.rowwise->finish_block(epilogue, sums, {row, count, pair * kPairColumns});
    }
  }
}

// Steps that are expanded at a time: what they become shares the second-level cache with the rows.
constexpr std::size_t kExpandedSteps = 64;
// Rows whose sums wait for the next steps.
constexpr std::size_t kExpandedRows = 384;

// Of a thread, made when it first needs it.
struct Expanded {
  AlignedBuffer steps{kExpandedSteps * kLargestExpandedStepBytes};
  AlignedBuffer sums{kExpandedRows * kPairColumns * sizeof(float)};
};
Expanded& expanded() {
  thread_local Expanded t_expanded;
  return t_expanded;
}

// Rows `rows` with one pair. Sums go on where they stopped after each part of the depth.
void multiply_expanded(const Sweep& work, const QuantizedKernel& quantized, Share rows,
                       std::size_t pair) {
  const auto& [kernels, x, weight, matrix, all_rows, pairs, epilogue, after] = work;
  const std::size_t steps = weight.depth_tiles();
  const std::size_t step_bytes = step_bytes_of(weight.format());
  const std::size_t parts = tiles_of(steps, kExpandedSteps);
  const std::size_t blocks = tiles_of(rows.end - rows.begin, kBlockRows);
  const std::size_t ahead_bytes = round_up(weight.pair_bytes() / (blocks * parts), 64);
  const std::byte* ahead = pair_after(work, pair);
  std::byte* steps_now = expanded().steps.data();
  for (std::size_t part = 0; part < parts; ++part) {
    const Share share = share_of(steps, part, parts);
    quantized.expand(weight.pair(matrix, pair) + share.begin * step_bytes, share.end - share.begin,
                     steps_now);
    float* sums = expanded().sums.as<float>().data();
    for (std::size_t row = rows.begin; row < rows.end; row += kBlockRows) {
      const std::size_t count = std::min(kBlockRows, rows.end - row);
      quantized.run_expanded({.left = x.line(0, row, share.begin * kTileDepth),
                              .left_row_tile_bytes = x.row_tile_bytes(),
                              .right = steps_now,
                              .depth_tiles = share.end - share.begin,
                              .rows = count,
                              .panels = panels_of(weight, pair),
                              .out = sums,
                              .accumulate = part > 0,
                              .ahead = ahead,
                              .ahead_bytes = ahead_bytes});
      if (ahead != nullptr) ahead += ahead_bytes;
      if (part + 1 == parts) {
        quantized.scale(sums, count, weight.multipliers(matrix, pair));
        kernels.rowwise->finish_block(epilogue, sums, {row, count, pair * kPairColumns});
      }
      if (parts > 1) sums += kBlockRows * kPairColumns;
    }
  }
}

void sweep_expanded(const Sweep& work, const QuantizedKernel& quantized) {
  for (std::size_t row = work.rows.begin; row < work.rows.end; row += kExpandedRows)
    for (std::size_t pair = work.pairs.begin; pair < work.pairs.end; ++pair)
      multiply_expanded(work, quantized, {row, std::min(work.rows.end, row + kExpandedRows)}, pair);
}

}  // namespace

void sweep(const Sweep& work) {
  const std::size_t count = work.rows.end - work.rows.begin;
  if (work.rows.begin >= work.rows.end) return;
  if (!is_quantized(work.weight.format())) return sweep_stream(work, nullptr);
  const QuantizedKernel& quantized = quantized_kernel(work.kernels.isa, work.weight.format());
  if (count < quantized.many_rows)
    sweep_stream(work, &quantized);
  else
    sweep_expanded(work, quantized);
}

}  // namespace vl2
