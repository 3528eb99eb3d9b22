// SPDX-License-Identifier: MIT
// Every kernel for quantized weights: expanded steps stand for the weights of the definition, and
// sums have the same bits whether steps were expanded before or not.
#include "kernels/matmul/quantized_kernel.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/aligned.h"
#include "kernels/matmul/expanded_step.h"
#include "kernels/matmul/kernel_cases.h"

namespace vl2 {
namespace {

std::vector<const QuantizedKernel*> quantized_pointers() {
  std::vector<const QuantizedKernel*> pointers;
  for (const QuantizedKernel& kernel : quantized_kernels()) pointers.push_back(&kernel);
  return pointers;
}

class QuantizedKernels : public testing::TestWithParam<const QuantizedKernel*> {
 protected:
  void SetUp() override {
    if (!can_run(kernel().isa)) GTEST_SKIP() << "this processor lacks " << kernel().name;
  }
  const QuantizedKernel& kernel() const { return *GetParam(); }
  const MatmulKernel& bf16_kernel() const { return matmul_kernel(kernel().isa, Operand::bf16); }

  // Steps of random bits: every code and every scale, also those that packing never writes.
  AlignedBuffer random_steps(std::size_t count, std::uint64_t seed) const {
    AlignedBuffer steps(count * step_bytes_of(kernel().weights));
    for (std::size_t i = 0; i < steps.size(); ++i)
      steps.data()[i] = static_cast<std::byte>(random_bits(seed, i) >> 32 & 0xffU);
    return steps;
  }
  AlignedBuffer expand(const QuantizedKernel& with, const AlignedBuffer& steps) const {
    const std::size_t count = steps.size() / step_bytes_of(kernel().weights);
    AlignedBuffer expanded(count * with.expanded_bytes);
    with.expand(steps.data(), count, expanded.data());
    return expanded;
  }
  bool makes_bf16_tiles() const { return kernel().expanded_bytes == kBf16StepBytes; }
  // Numbers [step][n][k] that the definition makes of steps.
  std::vector<float> weights_of(const AlignedBuffer& steps) const {
    const AlignedBuffer tiles = expand(quantized_kernel(Isa::portable, kernel().weights), steps);
    const std::size_t count = steps.size() / step_bytes_of(kernel().weights);
    std::vector<float> weights;
    for (std::size_t step = 0; step < count; ++step)
      for (std::size_t n = 0; n < kPairColumns; ++n)
        for (std::size_t k = 0; k < kTileDepth; ++k)
          weights.push_back(to_float(
              tiles.as<Bf16>()[step * 2 * kTileNumbers + right_index(Operand::bf16, n, k, 1)]));
    return weights;
  }
};

constexpr std::size_t kTileBytes = kTileNumbers * sizeof(Bf16);

// 32 rows of bf16 numbers and a place for the sums.
struct Rows32 {
  std::size_t steps;
  AlignedBuffer left;
  AlignedBuffer out{kBlockRows * kPairColumns * sizeof(float)};

  explicit Rows32(std::size_t count) : steps(count), left(2 * count * kTileBytes) {
    for (std::size_t i = 0; i < left.as<Bf16>().size(); ++i)
      left.as<Bf16>()[i] = to_bf16(static_cast<float>(random_unit(5, i) * 2.0 - 1.0));
  }
  void fill_row(std::size_t m, float value) {
    for (std::size_t k = 0; k < steps * kTileDepth; ++k)
      left.as<Bf16>()[left_index(m, k, steps)] = to_bf16(value);
  }
  std::vector<float> multiply(const MatmulKernel& configured, void (*run)(const BlockProduct&),
                              const AlignedBuffer& right, const BlockProduct& shape) {
    for (std::size_t i = 0; i < out.as<float>().size(); ++i)
      out.as<float>()[i] = static_cast<float>(i) * 0.25F;
    BlockProduct product = shape;
    product.left = left.data();
    product.left_row_tile_bytes = steps * kTileBytes;
    product.right = right.data();
    product.depth_tiles = steps;
    product.out = out.as<float>().data();
    const FlushDenormals flush;
    configured.configure(std::min(shape.rows, kTileRows));
    run(product);
    configured.release();
    return {out.as<float>().begin(), out.as<float>().end()};
  }
};

void expect_same(const std::vector<float>& actual, const std::vector<float>& expected,
                 const BlockProduct& shape) {
  for (std::size_t m = 0; m < shape.rows; ++m)
    ASSERT_EQ(std::memcmp(&actual[m * kPairColumns], &expected[m * kPairColumns],
                          shape.panels * kTileColumns * sizeof(float)),
              0)
        << shape.rows << " rows, " << shape.panels << " panels, row " << m;
}

TEST_P(QuantizedKernels, ExpandToTheTilesOfTheDefinition) {
  if (!makes_bf16_tiles()) GTEST_SKIP() << "keeps scales apart";
  const AlignedBuffer steps = random_steps(7, 1);
  const AlignedBuffer expected = expand(quantized_kernel(Isa::portable, kernel().weights), steps);
  const AlignedBuffer actual = expand(kernel(), steps);
  for (std::size_t i = 0; i < actual.as<Bf16>().size(); ++i)
    ASSERT_EQ(actual.as<Bf16>()[i].bits & 0x7fffU, expected.as<Bf16>()[i].bits & 0x7fffU) << i;
  for (std::size_t i = 0; i < actual.as<Bf16>().size(); ++i)
    if (to_float(expected.as<Bf16>()[i]) != 0.0F) {
      ASSERT_EQ(actual.as<Bf16>()[i].bits, expected.as<Bf16>()[i].bits) << i;
    }
}

TEST_P(QuantizedKernels, ExpandToLevelsAndScalesOfTheDefinition) {
  if (makes_bf16_tiles()) GTEST_SKIP() << "has scales in its numbers";
  const AlignedBuffer steps = random_steps(7, 1);
  const std::vector<float> weights = weights_of(steps);
  const AlignedBuffer expanded = expand(kernel(), steps);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t n = i / kTileDepth % kPairColumns;
    const std::size_t k = i % kTileDepth;
    const std::byte* step = expanded.data() + i / (2 * kTileNumbers) * kLevelStepBytes;
    const auto level = reinterpret_cast<const Bf16*>(step)[right_index(Operand::bf16, n, k, 1)];
    const float scale =
        reinterpret_cast<const float*>(step + kBf16StepBytes)[k / 16 * kPairColumns + n];
    ASSERT_EQ(to_float(level) * scale, weights[i]) << i;
  }
}

TEST_P(QuantizedKernels, AreNearTheExactSum) {
  constexpr std::size_t kSteps = 6;
  const AlignedBuffer steps = random_steps(kSteps, 6);
  const std::vector<float> weights = weights_of(steps);
  Rows32 rows(kSteps);
  const auto sums = rows.multiply(bf16_kernel(), kernel().run, steps, {.rows = 3});
  for (std::size_t m = 0; m < 3; ++m)
    for (std::size_t n = 0; n < kPairColumns; ++n) {
      double sum = 0.0;
      double size = 0.0;
      for (std::size_t k = 0; k < kSteps * kTileDepth; ++k) {
        const Bf16 x = rows.left.as<Bf16>()[left_index(m, k, kSteps)];
        const std::size_t at = (k / kTileDepth * kPairColumns + n) * kTileDepth + k % kTileDepth;
        const double term = static_cast<double>(to_float(x)) * static_cast<double>(weights[at]);
        sum += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(sums[m * kPairColumns + n], sum, 1e-5 * size) << m << ' ' << n;
    }
}

TEST_P(QuantizedKernels, GiveTheSameBitsOnExpandedSteps) {
  if (makes_bf16_tiles()) {
    EXPECT_EQ(kernel().run_expanded, bf16_kernel().run);
  }
  for (const std::size_t count : {1U, 2U, 3U, 9U, 40U}) {
    const AlignedBuffer steps = random_steps(count, count);
    const AlignedBuffer expanded = expand(kernel(), steps);
    Rows32 rows(count);
    const std::size_t stride = kernel().isa == Isa::portable && count > 3 ? 7 : 1;
    for (std::size_t n = 1; n <= kBlockRows; n += stride)
      for (const std::size_t panels : {1U, 2U})
        for (const bool accumulate : {false, true}) {
          const BlockProduct shape{.rows = n, .panels = panels, .accumulate = accumulate};
          expect_same(rows.multiply(bf16_kernel(), kernel().run, steps, shape),
                      rows.multiply(bf16_kernel(), kernel().run_expanded, expanded, shape), shape);
        }
  }
}

TEST_P(QuantizedKernels, EqualThePortableOnesWhereTheOrderIsExact) {
  if (!bf16_kernel().exact_order) GTEST_SKIP() << "has an order of its own";
  const AlignedBuffer steps = random_steps(5, 3);
  Rows32 rows(5);
  for (const std::size_t n : {1U, 2U, 17U, 32U}) {
    const BlockProduct shape{.rows = n};
    const QuantizedKernel& portable = quantized_kernel(Isa::portable, kernel().weights);
    expect_same(
        rows.multiply(bf16_kernel(), kernel().run, steps, shape),
        rows.multiply(matmul_kernel(Isa::portable, Operand::bf16), portable.run, steps, shape),
        shape);
  }
}

TEST_P(QuantizedKernels, KeepNeighboursApart) {
  const AlignedBuffer steps = random_steps(4, 4);
  Rows32 rows(4);
  const BlockProduct all{.rows = kBlockRows};
  const auto clean = rows.multiply(bf16_kernel(), kernel().run, steps, all);
  for (const float poison :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3e38F}) {
    for (std::size_t m = 0; m < kBlockRows; ++m)
      if (m % 3 != 0) rows.fill_row(m, poison);
    for (const std::size_t n : {1U, 4U, 7U, 16U, 19U, 31U, 32U}) {
      const auto mixed = rows.multiply(bf16_kernel(), kernel().run, steps, {.rows = n});
      for (std::size_t m = 0; m < n; m += 3)
        ASSERT_EQ(std::memcmp(&mixed[m * kPairColumns], &clean[m * kPairColumns], 128), 0)
            << poison << " row " << m << " of " << n;
    }
  }
}

TEST_P(QuantizedKernels, ScaleEveryColumnByItsMultiplier) {
  AlignedBuffer buffer(kBlockRows * kPairColumns * sizeof(float));
  const std::span<float> sums = buffer.as<float>();
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<float>(i) + 0.3F;
  float multipliers[kPairColumns];
  for (std::size_t n = 0; n < kPairColumns; ++n)
    multipliers[n] = 1.0F / (static_cast<float>(n) + 3);
  kernel().scale(sums.data(), 5, multipliers);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const float before = static_cast<float>(i) + 0.3F;
    EXPECT_EQ(sums[i], i < 5 * kPairColumns ? before * multipliers[i % kPairColumns] : before) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedKernels, testing::ValuesIn(quantized_pointers()),
                         [](const auto& kernel) { return std::string(kernel.param->name); });

TEST(QuantizedKernelTable, HasAKernelForEveryInstructionSetAndFormat) {
  for (const Isa isa : kAllIsas)
    for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4}) {
      const QuantizedKernel& kernel = quantized_kernel(isa, format);
      EXPECT_EQ(kernel.weights, format);
      EXPECT_LE(kernel.isa, isa);
      // The bf16 kernel configures for both, so both must be of one instruction set.
      EXPECT_EQ(kernel.isa, matmul_kernel(isa, Operand::bf16).isa);
    }
}

}  // namespace
}  // namespace vl2
