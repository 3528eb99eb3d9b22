// SPDX-License-Identifier: MIT
// Targets with fused multiply-add give the same bits, whatever the width of their vectors.
#include "kernels/rowwise/rowwise_test.h"

namespace vl2 {
namespace {

// Every row operation on one row of a width; what they wrote, one after the other.
std::vector<std::uint32_t> all_results(const RowwiseKernels& kernels, std::size_t width) {
  std::vector<std::uint32_t> results;
  const std::vector<float> x = random_row(width, 1, 9.0);
  const std::vector<float> weight = random_row(width, 2);
  const std::vector<float> bias = random_row(width, 3);
  const auto keep = [&results](const std::vector<float>& row) {
    const std::vector<std::uint32_t> bits = bits_of(row);
    results.insert(results.end(), bits.begin(), bits.end());
  };
  std::vector<float> out(width);
  kernels.rms_norm(x.data(), weight.data(), width, 1e-6F, out.data());
  keep(out);
  kernels.layer_norm(x.data(), weight.data(), bias.data(), width, 1e-6F, out.data());
  keep(out);
  out = x;
  kernels.rope_half(out.data(), width / 2 * 2, weight.data(), bias.data());
  keep(out);
  kernels.rope_adjacent(out.data(), width / 2 * 2, weight.data(), bias.data());
  keep(out);
  kernels.add(out.data(), bias.data(), width);
  keep(out);
  kernels.add_scaled(out.data(), weight.data(), 0.7F, width);
  keep(out);
  kernels.softmax(out.data(), width);
  keep(out);
  out = x;
  kernels.sigmoid(out.data(), width);
  keep(out);
  return results;
}

// The outputs of all epilogues for a block whose last columns lie beyond the output.
std::vector<std::byte> all_epilogues(const RowwiseKernels& kernels, std::size_t width) {
  const std::vector<float> block = random_row(32 * 32, 4, 9.0);
  const std::vector<float> bias = random_row(width, 5);
  std::vector<std::byte> out(3 * 2 * kTileNumbers * sizeof(float));
  const BlockPlace place{0, 32, 0};
  std::byte* to = out.data();
  const auto next = [&to, width](Operand operand) {
    const Packed packed{to, operand, 32, width, 1};
    to += packed.total_bytes();
    return packed;
  };
  for (const Gelu gelu : {Gelu::tanh, Gelu::erf})
    kernels.finish_block(StoreGelu{next(Operand::f32), bias.data(), gelu}, block.data(), place);
  kernels.finish_block(StoreGated{next(Operand::f32)}, block.data(), place);
  return out;
}

TEST(RowwiseTables, FusedTargetsGiveTheSameBits) {
  if (cpu_isas().back() < Isa::avx512_bf16)
    GTEST_SKIP() << "this processor has at most one target with fused multiply-add";
  const RowwiseKernels& narrow = rowwise_kernels(Isa::avx2);
  const RowwiseKernels& wide = rowwise_kernels(Isa::avx512_bf16);
  ASSERT_STRNE(narrow.name, wide.name);
  for (const std::size_t width : row_widths())
    EXPECT_EQ(all_results(narrow, width), all_results(wide, width)) << width;
  for (std::size_t width = 1; width <= 32; ++width)
    EXPECT_EQ(all_epilogues(narrow, width), all_epilogues(wide, width)) << width;
}

TEST(RowwiseTables, AmxUsesTheWidestVectors) {
  EXPECT_EQ(&rowwise_kernels(Isa::amx), &rowwise_kernels(Isa::avx512_bf16));
}

}  // namespace
}  // namespace vl2
