// SPDX-License-Identifier: MIT
// Every kernel of the table against the portable definition.
#include "kernels/matmul/matmul_kernel.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/aligned.h"
#include "kernels/matmul/kernel_cases.h"

namespace vl2 {
namespace {

class MatmulKernels : public testing::TestWithParam<const MatmulKernel*> {
 protected:
  void SetUp() override {
    if (!can_run(GetParam()->isa)) GTEST_SKIP() << "this processor lacks " << GetParam()->name;
  }
  const MatmulKernel& kernel() const { return *GetParam(); }
};

// A product's operands and result, with room for the largest block.
struct Block {
  Operand operand;
  std::size_t depth;
  AlignedBuffer left;
  AlignedBuffer right;
  AlignedBuffer out;

  Block(Operand type, std::size_t k, std::uint64_t seed)
      : operand(type),
        depth(k),
        left(2 * tiles() * tile_bytes()),
        right(2 * tiles() * tile_bytes()),
        out(kBlockRows * kPairColumns * sizeof(float)) {
    for (std::size_t m = 0; m < kBlockRows; ++m)
      for (std::size_t i = 0; i < depth; ++i) set_left(m, i, number(seed, m * depth + i));
    for (std::size_t n = 0; n < kPairColumns; ++n)
      for (std::size_t i = 0; i < depth; ++i)
        put(right, right_index(operand, n, i, tiles()), number(seed + 1, n * depth + i));
    for (std::size_t i = 0; i < sums().size(); ++i) sums()[i] = number(seed + 2, i);
  }

  static float number(std::uint64_t seed, std::size_t i) {
    return static_cast<float>(random_unit(seed, i) * 2.0 - 1.0);
  }
  std::size_t tiles() const { return tiles_of(depth, kTileDepth); }
  std::size_t tile_bytes() const { return kTileNumbers * bytes_of(operand); }
  std::span<float> sums() { return out.as<float>(); }
  void put(AlignedBuffer& buffer, std::size_t index, float value) const {
    if (operand == Operand::f32)
      buffer.as<float>()[index] = value;
    else
      buffer.as<Bf16>()[index] = to_bf16(value);
  }
  void set_left(std::size_t m, std::size_t k, float value) {
    put(left, left_index(m, k, tiles()), value);
  }
  void fill_row(std::size_t m, float value) {
    for (std::size_t k = 0; k < depth; ++k) set_left(m, k, value);
  }
  void copy_row(std::size_t from, std::size_t to) {
    const std::size_t line = kTileDepth * bytes_of(operand);
    for (std::size_t k = 0; k < depth; k += kTileDepth)
      std::memcpy(left.data() + left_index(to, k, tiles()) * bytes_of(operand),
                  left.data() + left_index(from, k, tiles()) * bytes_of(operand), line);
  }

  BlockProduct product(std::size_t rows, std::size_t panels, bool accumulate) {
    return {.left = left.data(),
            .left_row_tile_bytes = tiles() * tile_bytes(),
            .right = right.data(),
            .depth_tiles = tiles(),
            .rows = rows,
            .panels = panels,
            .out = out.as<float>().data(),
            .accumulate = accumulate};
  }
  // The sums of a product, [32][32].
  std::vector<float> multiply(const MatmulKernel& kernel, std::size_t rows, std::size_t panels = 2,
                              bool accumulate = false) {
    const std::vector<float> before(sums().begin(), sums().end());
    const FlushDenormals flush;
    kernel.configure(std::min(rows, kTileRows));
    kernel.run(product(rows, panels, accumulate));
    kernel.release();
    std::vector<float> result(sums().begin(), sums().end());
    std::copy(before.begin(), before.end(), sums().begin());
    return result;
  }
};

// |error| of a sum of K products in any order of additions, from the sizes of its terms; a bf16
// product is exact in fp32.
double bound_of(const Block& block, double terms) {
  return (static_cast<double>(block.depth) + 2.0) * 0x1p-24 * terms;
}

void expect_row(const MatmulKernel& kernel, const float* actual, const float* expected,
                std::size_t columns, double bound, const std::string& what) {
  for (std::size_t n = 0; n < columns; ++n) {
    ASSERT_NEAR(actual[n], expected[n], kernel.exact_order ? 0.0 : bound)
        << what << " column " << n;
  }
}

TEST_P(MatmulKernels, EqualThePortableDefinition) {
  const MatmulKernel& portable = matmul_kernel(Isa::portable, kernel().operand);
  for (const std::size_t depth : {32U, 64U, 160U, 588U, 896U, 1152U, 4304U}) {
    Block block(kernel().operand, depth, depth);
    const double bound = bound_of(block, static_cast<double>(depth) + 1.0);
    for (const std::size_t panels : {1U, 2U})
      for (const bool accumulate : {false, true}) {
        if (depth > 1000 && panels == 1) continue;  // the portable kernel takes its time
        const std::size_t rows = depth > 1000 ? 18 : 32;
        const auto expected = block.multiply(portable, rows, panels, accumulate);
        const auto actual = block.multiply(kernel(), rows, panels, accumulate);
        for (std::size_t m = 0; m < rows; ++m)
          expect_row(kernel(), &actual[m * kPairColumns], &expected[m * kPairColumns], panels * 16,
                     bound, "depth " + std::to_string(depth) + " row " + std::to_string(m));
      }
  }
}

TEST_P(MatmulKernels, GiveARowTheSameBitsInEveryCrowdAndPlace) {
  for (const std::size_t depth : {64U, 160U, 896U}) {
    Block block(kernel().operand, depth, 7);
    const auto all = block.multiply(kernel(), kBlockRows);
    for (std::size_t rows = 1; rows <= kBlockRows; ++rows)
      for (const std::size_t panels : {1U, 2U}) {
        const auto some = block.multiply(kernel(), rows, panels);
        for (std::size_t m = 0; m < rows; ++m)
          ASSERT_EQ(std::memcmp(&some[m * kPairColumns], &all[m * kPairColumns], panels * 64), 0)
              << rows << " rows, row " << m;
      }
    for (std::size_t place = 1; place < kBlockRows; ++place) {
      block.copy_row(0, place);
      const auto moved = block.multiply(kernel(), kBlockRows);
      ASSERT_EQ(std::memcmp(&moved[place * kPairColumns], all.data(), 128), 0) << place;
    }
  }
}

TEST_P(MatmulKernels, KeepNeighboursApart) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float poison : {nan, inf, -inf, 3e38F}) {
    Block block(kernel().operand, 160, 11);
    const auto clean = block.multiply(kernel(), kBlockRows);
    for (std::size_t m = 0; m < kBlockRows; ++m)
      if (m % 3 != 0) block.fill_row(m, poison);
    for (const std::size_t rows : {1U, 4U, 7U, 16U, 19U, 31U, 32U}) {
      const auto mixed = block.multiply(kernel(), rows);
      for (std::size_t m = 0; m < rows; m += 3)
        ASSERT_EQ(std::memcmp(&mixed[m * kPairColumns], &clean[m * kPairColumns], 128), 0)
            << poison << " row " << m << " of " << rows;
    }
  }
}

TEST_P(MatmulKernels, ContinueASumWhereItStopped) {
  Block block(kernel().operand, 256, 13);
  const auto whole = block.multiply(kernel(), kBlockRows);
  const FlushDenormals flush;
  kernel().configure(kTileRows);
  BlockProduct part = block.product(kBlockRows, 2, false);
  for (const std::size_t tiles : {3U, 1U, 4U}) {
    part.depth_tiles = tiles;
    kernel().run(part);
    part.left += tiles * block.tile_bytes();
    part.right += tiles * 2 * block.tile_bytes();
    part.accumulate = true;
  }
  kernel().release();
  EXPECT_EQ(std::memcmp(block.sums().data(), whole.data(), whole.size() * sizeof(float)), 0);
}

TEST_P(MatmulKernels, FetchingAheadChangesNothing) {
  Block block(kernel().operand, 160, 17);
  for (const std::size_t rows : {1U, 8U, 32U}) {
    const auto expected = block.multiply(kernel(), rows);
    const FlushDenormals flush;
    kernel().configure(std::min(rows, kTileRows));
    BlockProduct product = block.product(rows, 2, false);
    product.ahead = block.right.data();
    product.ahead_bytes = block.right.size();
    product.stream = rows <= kTileRows;
    kernel().run(product);
    kernel().release();
    EXPECT_EQ(std::memcmp(block.sums().data(), expected.data(), rows * 128), 0);
  }
}

TEST_P(MatmulKernels, CountDenormalsAsZero) {
  Block block(kernel().operand, 64, 19);
  for (std::size_t m = 0; m < kBlockRows; ++m) block.fill_row(m, 1e-39F);
  for (const float sum : block.multiply(kernel(), kBlockRows)) EXPECT_EQ(sum, 0.0F);
}

INSTANTIATE_TEST_SUITE_P(All, MatmulKernels, testing::ValuesIn(kernel_pointers()),
                         [](const auto& kernel) { return std::string(kernel.param->name); });

TEST(MatmulKernelTable, HasAPortableKernelForEveryOperand) {
  for (const Operand operand : {Operand::f32, Operand::bf16}) {
    const MatmulKernel& kernel = matmul_kernel(Isa::portable, operand);
    EXPECT_EQ(kernel.isa, Isa::portable);
    EXPECT_EQ(kernel.operand, operand);
    EXPECT_TRUE(kernel.exact_order);
  }
}

TEST(MatmulKernelTable, FallsBackToTheNearestPlainerInstructionSet) {
  for (const Isa isa : kAllIsas)
    for (const Operand operand : {Operand::f32, Operand::bf16}) {
      const MatmulKernel& chosen = matmul_kernel(isa, operand);
      EXPECT_LE(chosen.isa, isa);
      for (const MatmulKernel& kernel : matmul_kernels())
        if (kernel.operand == operand && kernel.isa <= isa) {
          EXPECT_LE(kernel.isa, chosen.isa);
        }
    }
}

}  // namespace
}  // namespace vl2
