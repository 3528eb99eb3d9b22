// SPDX-License-Identifier: MIT
#include "kernels/matmul/pack.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace vl2 {
namespace {

struct Shape {
  std::size_t columns;
  std::size_t depth;
};
constexpr Shape kShapes[] = {{1, 1}, {16, 32}, {17, 31}, {40, 588}, {48, 64}, {4304, 33}};

std::vector<float> random_floats(std::size_t count) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(random_unit(1, i) - 0.5);
  return out;
}

TEST(Pack, RoundTripOfFloats) {
  for (const Shape shape : kShapes) {
    const auto source = random_floats(shape.columns * shape.depth);
    Weight weight(WeightFormat::f32, shape.columns, shape.depth, 2);
    pack_matrix(std::span<const float>(source), weight, 1);
    std::vector<float> back(source.size());
    unpack_matrix(weight, 1, back);
    EXPECT_EQ(source, back) << shape.columns << " x " << shape.depth;
  }
}

TEST(Pack, Bf16IsExactAndFloatsAreRounded) {
  for (const Shape shape : kShapes) {
    const auto source = random_floats(shape.columns * shape.depth);
    std::vector<Bf16> rounded(source.size());
    std::vector<float> expected(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
      rounded[i] = to_bf16(source[i]);
      expected[i] = to_float(rounded[i]);
    }
    Weight from_bf16(WeightFormat::bf16, shape.columns, shape.depth);
    Weight from_floats(WeightFormat::bf16, shape.columns, shape.depth);
    pack_matrix(std::span<const Bf16>(rounded), from_bf16);
    pack_matrix(std::span<const float>(source), from_floats);
    std::vector<float> back(source.size());
    unpack_matrix(from_bf16, 0, back);
    EXPECT_EQ(expected, back);
    EXPECT_EQ(std::memcmp(from_bf16.pair(0, 0), from_floats.pair(0, 0), from_bf16.total_bytes()),
              0);
  }
}

TEST(Pack, PutsNumbersWhereTheKernelsLookForThem) {
  const std::size_t columns = 40;
  const std::size_t depth = 70;
  std::vector<Bf16> source(columns * depth);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = {static_cast<std::uint16_t>(i + 1)};
  Weight weight(WeightFormat::bf16, columns, depth);
  pack_matrix(std::span<const Bf16>(source), weight);
  const auto* packed = reinterpret_cast<const Bf16*>(weight.pair(0, 0));
  EXPECT_EQ(packed[0].bits, 1);                      // n 0, k 0
  EXPECT_EQ(packed[1].bits, 2);                      // n 0, k 1
  EXPECT_EQ(packed[2].bits, depth + 1);              // n 1, k 0
  EXPECT_EQ(packed[32].bits, 3);                     // n 0, k 2
  EXPECT_EQ(packed[512].bits, 16 * depth + 1);       // n 16, k 0
  EXPECT_EQ(packed[1024].bits, 33);                  // n 0, k 32
  EXPECT_EQ(packed[3 * 1024].bits, 32 * depth + 1);  // n 32, k 0
  EXPECT_EQ(packed[right_index(Operand::bf16, 39, 69, 3)].bits, columns * depth);
}

TEST(Pack, PaddingIsZeroWhateverWasThere) {
  const std::size_t depth = 33;
  const std::vector<float> row(depth, 1.0F);
  PairRows<float> rows{};
  rows[3] = row.data();
  for (const WeightFormat format : {WeightFormat::f32, WeightFormat::bf16}) {
    Weight weight(format, kPairColumns, depth);
    std::memset(weight.mutable_pair(0, 0), 0xff, weight.pair_bytes());
    pack_pair(format, rows, depth, weight.mutable_pair(0, 0));
    const Operand operand = operand_of(format);
    for (std::size_t n = 0; n < kPairColumns; ++n)
      for (std::size_t k = 0; k < 64; ++k) {
        const std::byte* at = weight.pair(0, 0) + right_index(operand, n, k, 2) * bytes_of(operand);
        std::uint32_t bits = 0;
        std::memcpy(&bits, at, bytes_of(operand));
        EXPECT_EQ(bits != 0, n == 3 && k < depth) << n << ' ' << k;
      }
  }
}

}  // namespace
}  // namespace vl2
