// SPDX-License-Identifier: MIT
// Products of 8-bit integers: every kernel gives the numbers of the definition, and every number is
// what codes, scales and multipliers say.
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "kernels/integer/integer_kernel.h"
#include "kernels/integer/integer_matmul.h"
#include "kernels/matmul/pack.h"
#include "tensor/format/int8.h"

namespace vl2 {
namespace {

bool can_run(Isa isa) {
  for (const Isa known : cpu_isas())
    if (known == isa) return true;
  return false;
}

KernelSet kernels_of(Isa isa) { return KernelSet::of(isa, Operand::bf16); }

Packed packed_rows(Arena& arena, const std::vector<float>& numbers, std::size_t width) {
  const std::size_t count = numbers.size() / width;
  const Packed x = arena.packed(Operand::bf16, count, width);
  std::memset(x.tiles, 0, x.total_bytes());
  for (std::size_t i = 0; i < count; ++i)
    kernels_of(Isa::portable)
        .rowwise->pack_row(numbers.data() + i * width, width, Operand::bf16, x.line(0, i, 0));
  return x;
}

std::vector<float> random_numbers(std::size_t count, std::uint64_t seed) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = static_cast<float>(random_unit(seed, i) * 2.0 - 1.0);
  return numbers;
}

Weight random_weight(std::size_t columns, std::size_t depth) {
  Weight weight(WeightFormat::int8, columns, depth);
  pack_matrix(std::span<const float>(random_numbers(columns * depth, 7)), weight);
  return weight;
}

std::vector<float> product(Isa isa, int threads, const Packed& x, const Weight& weight) {
  const ThreadTeam team(threads);
  Arena arena;
  const IntegerRows rows = quantize_rows(kernels_of(isa), team, x, arena);
  const Rows out = arena.rows(x.count, weight.columns());
  integer_matmul(kernels_of(isa), team, rows, weight, StoreRows{out});
  return {out.data, out.data + out.count * out.stride};
}

class IntegerKernels : public testing::TestWithParam<const IntegerKernel*> {
 protected:
  void SetUp() override {
    if (!can_run(GetParam()->isa)) GTEST_SKIP() << "this processor lacks " << GetParam()->name;
  }
};

std::vector<const IntegerKernel*> kernel_pointers() {
  std::vector<const IntegerKernel*> pointers;
  for (const IntegerKernel& kernel : integer_kernels()) pointers.push_back(&kernel);
  return pointers;
}

// The largest codes of either sign are where instructions saturate, if they do.
TEST_P(IntegerKernels, AddLargestCodesExactly) {
  constexpr std::size_t kSteps = 3;  // a tile and a half
  constexpr std::size_t kTiles = 2;
  std::vector<std::byte> steps(kSteps * int8::kStepBytes);
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i] = static_cast<std::byte>(int8::encode(i % 3 == 0 ? -127 : 127));
  std::vector<std::int8_t> left(2 * kTiles * kTileRows * kIntegerDepth, 127);
  AlignedBuffer tiles(kTiles * GetParam()->tile_bytes);
  for (std::size_t m = 0; m < kBlockRows; ++m)  // nothing beyond the steps
    std::memset(left.data() + (m / 16 * kTiles + 1) * 1024 + m % 16 * 64 + 32, 0, 32);
  GetParam()->expand(steps.data(), kSteps, tiles.data());
  alignas(64) std::int32_t sums[kBlockRows * kPairColumns];
  GetParam()->run({.left = left.data(),
                   .left_row_tile_bytes = kTiles * kTileRows * kIntegerDepth,
                   .right = tiles.data(),
                   .depth_tiles = kTiles,
                   .rows = kBlockRows,
                   .out = sums});
  const std::int32_t row_sum = 127 * static_cast<std::int32_t>(kSteps * kTileDepth);
  for (std::size_t n = 0; n < kPairColumns; ++n) {
    std::int32_t expected = 0;
    for (std::size_t k = 0; k < kSteps * kTileDepth; ++k) {
      const std::size_t at = k / kTileDepth * int8::kStepBytes + int8::byte_of(k % kTileDepth, n);
      expected += 127 * int8::decode(static_cast<std::uint8_t>(steps[at]));
    }
    for (std::size_t m = 0; m < kBlockRows; ++m)
      ASSERT_EQ(sums[m * kPairColumns + n] - GetParam()->code_offset * row_sum, expected)
          << m << ", " << n;
  }
}

TEST_P(IntegerKernels, GiveTheBitsOfTheDefinition) {
  constexpr std::size_t kShapes[][3] = {{1, 32, 32},   {5, 64, 48},   {17, 96, 16},
                                        {33, 588, 80}, {40, 608, 33}, {71, 4304, 40}};
  for (const auto& [count, depth, columns] : kShapes) {
    Arena arena;
    const Packed x = packed_rows(arena, random_numbers(count * depth, 3), depth);
    const Weight weight = random_weight(columns, depth);
    EXPECT_EQ(product(GetParam()->isa, 1, x, weight), product(Isa::portable, 1, x, weight))
        << count << " x " << depth << " x " << columns;
  }
}

INSTANTIATE_TEST_SUITE_P(All, IntegerKernels, testing::ValuesIn(kernel_pointers()),
                         [](const auto& kernel) { return std::string(kernel.param->name); });

TEST(IntegerRounding, ScaleMakesTheLargestNumber127) {
  Arena arena;
  const std::vector<float> numbers = {-2.0F, 1.0F, 0.0F, 0.25F, 0.0F, 0.0F, 0.0F, 0.0F};
  const Packed x = packed_rows(arena, numbers, 4);
  for (const Isa isa : cpu_isas()) {
    const IntegerRows rows = quantize_rows(kernels_of(isa), ThreadTeam(1), x, arena);
    EXPECT_EQ(rows.scales[0], 2.0F / 127.0F);
    EXPECT_EQ(rows.scales[1], 0.0F);
    // 63.5 and 15.875, ties to even.
    const std::int8_t expected[4] = {-127, 64, 0, 16};
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(rows.line(0, 0)[k], expected[k]);
    for (std::size_t k = 4; k < kIntegerDepth; ++k) EXPECT_EQ(rows.line(0, 0)[k], 0);
    EXPECT_EQ(rows.sums[0], -127 + 64 + 16);
    EXPECT_EQ(rows.sums[1], 0);
  }
}

TEST(IntegerRounding, IsTheSameOnEveryInstructionSet) {
  constexpr std::size_t kWidth = 1152 + 19;
  Arena arena;
  const Packed x = packed_rows(arena, random_numbers(9 * kWidth, 5), kWidth);
  const IntegerRows expected = quantize_rows(kernels_of(Isa::portable), ThreadTeam(1), x, arena);
  for (const Isa isa : cpu_isas()) {
    const IntegerRows rows = quantize_rows(kernels_of(isa), ThreadTeam(2), x, arena);
    for (std::size_t m = 0; m < x.count; ++m) {
      EXPECT_EQ(rows.scales[m], expected.scales[m]);
      EXPECT_EQ(rows.sums[m], expected.sums[m]);
      for (std::size_t k = 0; k < kWidth; k += kIntegerDepth)
        EXPECT_EQ(std::memcmp(rows.line(m, k), expected.line(m, k), kIntegerDepth), 0);
    }
  }
}

TEST(IntegerMatmul, EqualsWhatCodesAndScalesSay) {
  constexpr std::size_t kCount = 20;
  constexpr std::size_t kDepth = 200;
  Arena arena;
  const Packed x = packed_rows(arena, random_numbers(kCount * kDepth, 1), kDepth);
  const Weight weight = random_weight(50, kDepth);
  std::vector<float> weights(weight.columns() * kDepth);
  unpack_matrix(weight, 0, weights);
  const IntegerRows rows = quantize_rows(kernels_of(Isa::portable), ThreadTeam(1), x, arena);
  const std::vector<float> out = product(cpu_isas().back(), 2, x, weight);
  for (std::size_t m = 0; m < kCount; ++m)
    for (std::size_t n = 0; n < weight.columns(); ++n) {
      double sum = 0;
      for (std::size_t k = 0; k < kDepth; ++k)
        sum += static_cast<double>(rows.line(m, k / 64 * 64)[k % 64]) *
               static_cast<double>(weights[n * kDepth + k]);
      const double expected = sum * static_cast<double>(rows.scales[m]);
      EXPECT_NEAR(static_cast<double>(out[m * weight.columns() + n]), expected, 1e-5);
    }
}

// Of vectors of random numbers both roundings together lose less than a hundredth.
TEST(IntegerMatmul, IsCloseToTheExactProduct) {
  constexpr std::size_t kDepth = 1152;
  Arena arena;
  const std::vector<float> numbers = random_numbers(30 * kDepth, 1);
  const Packed x = packed_rows(arena, numbers, kDepth);
  const std::vector<float> source = random_numbers(64 * kDepth, 7);
  const Weight weight = random_weight(64, kDepth);
  const std::vector<float> out = product(cpu_isas().back(), 1, x, weight);
  double error = 0;
  double size = 0;
  for (std::size_t m = 0; m < 30; ++m)
    for (std::size_t n = 0; n < 64; ++n) {
      double exact = 0;
      for (std::size_t k = 0; k < kDepth; ++k)
        exact += static_cast<double>(numbers[m * kDepth + k] * source[n * kDepth + k]);
      error += std::pow(static_cast<double>(out[m * 64 + n]) - exact, 2);
      size += exact * exact;
    }
  EXPECT_LT(std::sqrt(error / size), 0.01);
}

TEST(IntegerMatmul, RowsDependOnThemselvesAlone) {
  constexpr std::size_t kDepth = 96;
  constexpr std::size_t kColumns = 40;
  std::vector<float> numbers = random_numbers(70 * kDepth, 1);
  const Weight weight = random_weight(kColumns, kDepth);
  for (const Isa isa : cpu_isas()) {
    Arena arena;
    const std::vector<float> all = product(isa, 2, packed_rows(arena, numbers, kDepth), weight);
    for (const std::size_t i : {0U, 15U, 16U, 69U}) {
      const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(i * kDepth);
      const std::vector<float> own(begin, begin + kDepth);
      const std::vector<float> alone = product(isa, 1, packed_rows(arena, own, kDepth), weight);
      for (std::size_t n = 0; n < kColumns; ++n) EXPECT_EQ(alone[n], all[i * kColumns + n]);
    }
  }
}

TEST(IntegerMatmul, NotANumberStaysInItsRow) {
  constexpr std::size_t kDepth = 64;
  std::vector<float> numbers = random_numbers(3 * kDepth, 1);
  numbers[kDepth + 5] = std::numeric_limits<float>::infinity();
  numbers[2 * kDepth] = std::numeric_limits<float>::quiet_NaN();
  Arena arena;
  const Packed x = packed_rows(arena, numbers, kDepth);
  const Weight weight = random_weight(32, kDepth);
  for (const Isa isa : cpu_isas()) {
    const std::vector<float> out = product(isa, 1, x, weight);
    for (std::size_t n = 0; n < 32; ++n) {
      EXPECT_TRUE(std::isfinite(out[n]));
      EXPECT_TRUE(std::isnan(out[32 + n]));
      EXPECT_TRUE(std::isnan(out[64 + n]));
    }
  }
}

TEST(Repacked, HasTheBytesOfPackingTheNumbers) {
  const std::vector<float> numbers = random_numbers(70 * 100, 2);
  Weight f32(WeightFormat::f32, 70, 100);
  Weight int8(WeightFormat::int8, 70, 100);
  pack_matrix(std::span<const float>(numbers), f32);
  pack_matrix(std::span<const float>(numbers), int8);
  const Weight again = repacked(f32, WeightFormat::int8, ThreadTeam(2));
  ASSERT_EQ(again.total_bytes(), int8.total_bytes());
  EXPECT_EQ(std::memcmp(again.pair(0, 0), int8.pair(0, 0), int8.total_bytes()), 0);
}

}  // namespace
}  // namespace vl2
