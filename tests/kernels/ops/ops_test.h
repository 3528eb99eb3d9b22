// SPDX-License-Identifier: MIT
// What the tests of Ops share: a machine for every instruction set and operand type, random rows
// and weights, and readers of packed rows.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "kernels/matmul/pack.h"
#include "kernels/ops.h"

namespace vl2 {

// Numbers of a matrix that a test owns, and a view of them. All are exact in bf16, so that every
// operand type sees the same ones.
class OwnRows {
 public:
  OwnRows(std::size_t count, std::size_t width, std::uint64_t seed, double range = 2.0)
      : numbers_(count * width), count_(count), width_(width) {
    for (std::size_t i = 0; i < numbers_.size(); ++i)
      numbers_[i] =
          to_float(to_bf16(static_cast<float>((2.0 * random_unit(seed, i) - 1.0) * range)));
  }
  Rows view() { return {numbers_.data(), count_, width_, width_}; }
  float at(std::size_t row, std::size_t column) const { return numbers_[row * width_ + column]; }
  const std::vector<float>& numbers() const { return numbers_; }

 private:
  std::vector<float> numbers_;
  std::size_t count_;
  std::size_t width_;
};

inline std::vector<std::uint32_t> bits_of(Rows rows) {
  std::vector<std::uint32_t> bits;
  for (std::size_t i = 0; i < rows.count; ++i)
    for (const float value : rows[i]) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

// Row m of matrix i as floats, padding columns included.
inline std::vector<float> packed_row(const Packed& packed, std::size_t i, std::size_t m) {
  std::vector<float> row(packed.depth_tiles() * kTileDepth);
  rowwise_kernels(Isa::portable)
      .unpack_row(packed.line(i, m, 0), row.size(), packed.operand, row.data());
  return row;
}

// What a number becomes when it is packed.
inline float rounded(float x, Operand operand) {
  return operand == Operand::f32 ? x : to_float(to_bf16(x));
}

inline WeightFormat format_of(Operand operand) {
  return operand == Operand::f32 ? WeightFormat::f32 : WeightFormat::bf16;
}

inline Weight weight_of(const OwnRows& rows, std::size_t columns, std::size_t depth,
                        Operand operand, std::size_t stack = 1) {
  Weight weight(format_of(operand), columns, depth, stack);
  const std::span<const float> numbers = rows.numbers();
  for (std::size_t i = 0; i < stack; ++i)
    pack_matrix(numbers.subspan(i * columns * depth, columns * depth), weight, i);
  return weight;
}

// Gate and up rows [width][depth], panel by panel in turn.
inline Weight gate_up_of(const OwnRows& gate, const OwnRows& up, std::size_t width,
                         std::size_t depth, Operand operand) {
  Weight weight(format_of(operand), 2 * width, depth);
  for (std::size_t pair = 0; pair < weight.pairs(); ++pair) {
    PairRows<float> rows{};
    for (std::size_t j = 0; j < kTileColumns; ++j) {
      rows[j] = gate.numbers().data() + (pair * kTileColumns + j) * depth;
      rows[kTileColumns + j] = up.numbers().data() + (pair * kTileColumns + j) * depth;
    }
    pack_pair(format_of(operand), rows, depth, weight.mutable_pair(0, pair));
  }
  return weight;
}

class OpsTest : public testing::TestWithParam<std::tuple<Isa, Operand>> {
 protected:
  Ops ops(int threads = 2) {
    return {KernelSet::of(std::get<0>(GetParam()), operand()), ThreadTeam(threads), arena_};
  }
  Operand operand() const { return std::get<1>(GetParam()); }
  Arena arena_;
};

inline auto every_machine() {
  return testing::Combine(testing::ValuesIn(cpu_isas().begin(), cpu_isas().end()),
                          testing::Values(Operand::f32, Operand::bf16));
}
inline std::string machine_name(const testing::TestParamInfo<std::tuple<Isa, Operand>>& info) {
  return std::string(to_string(std::get<0>(info.param))) +
         (std::get<1>(info.param) == Operand::f32 ? "_f32" : "_bf16");
}

}  // namespace vl2
