// SPDX-License-Identifier: MIT
// The definition of products with quantized weights: expand a step, multiply its two bf16 tiles.
#include "kernels/matmul/kernel_functions.h"
#include "kernels/matmul/quantized_functions.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"
#include "tensor/tiles.h"

namespace vl2::matmul_functions {
namespace {

constexpr std::size_t kStepNumbers = 2 * kTileNumbers;

// bits(step, k, n) for every number of every step.
template <std::size_t StepBytes, class F>
void expand_steps(const std::byte* steps, std::size_t count, std::byte* tiles, F bits) {
  auto* out = reinterpret_cast<Bf16*>(tiles);
  for (std::size_t i = 0; i < count; ++i, steps += StepBytes, out += kStepNumbers)
    for (std::size_t n = 0; n < kPairColumns; ++n)
      for (std::size_t k = 0; k < kTileDepth; ++k)
        out[right_index(Operand::bf16, n, k, 1)].bits = bits(steps, k, n);
}

template <auto Expand, std::size_t StepBytes>
void multiply(const BlockProduct& product) {
  alignas(64) std::byte tiles[kStepNumbers * sizeof(Bf16)];
  BlockProduct step = product;
  step.right = tiles;
  for (std::size_t i = 0; i < product.depth_tiles; ++i) {
    Expand(product.right + i * StepBytes, 1, tiles);
    step.depth_tiles = 1;
    step.left = product.left + i * kTileNumbers * sizeof(Bf16);
    portable_bf16(step);
    step.accumulate = true;
  }
}

}  // namespace

void portable_int8_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  expand_steps<int8::kStepBytes>(
      steps, count, tiles, [](const std::byte* step, std::size_t k, std::size_t n) {
        return int8::bf16_bits(static_cast<std::uint8_t>(step[int8::byte_of(k, n)]));
      });
}

void portable_int4_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  expand_steps<int4::kStepBytes>(
      steps, count, tiles, [](const std::byte* step, std::size_t k, std::size_t n) {
        const auto codes = static_cast<std::uint8_t>(step[int4::byte_of(k, n)]);
        const auto code = static_cast<std::uint8_t>(codes >> int4::shift_of(k) & 15U);
        return int4::bf16_bits(code, static_cast<std::uint8_t>(step[int4::scale_byte_of(k, n)]));
      });
}

void portable_int8(const BlockProduct& product) {
  multiply<portable_int8_expand, int8::kStepBytes>(product);
}
void portable_int4(const BlockProduct& product) {
  multiply<portable_int4_expand, int4::kStepBytes>(product);
}

void portable_scale(float* sums, std::size_t rows, const float* multipliers) {
  for (std::size_t m = 0; m < rows; ++m)
    for (std::size_t n = 0; n < kPairColumns; ++n) sums[m * kPairColumns + n] *= multipliers[n];
}

}  // namespace vl2::matmul_functions
