// SPDX-License-Identifier: MIT
// What the tests of the row-wise kernels share: every table this processor can run, the widths
// they are tried with, and random rows.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "base/random.h"
#include "kernels/rowwise/rowwise.h"

namespace vl2 {

// Half the distance from 1 to the next float: the largest relative error of one rounding.
inline constexpr double kUnit = 0x1p-24;

// The relative error that a sum over a row may have: a chain of width / 16 roundings, then a tree.
inline double sum_error(std::size_t width) { return (static_cast<double>(width) / 16 + 6) * kUnit; }

inline std::vector<std::size_t> row_widths() {
  std::vector<std::size_t> widths;
  for (std::size_t width = 1; width <= 70; ++width) widths.push_back(width);
  widths.push_back(96);
  widths.push_back(1280);
  return widths;
}

// Uniform in -range .. range.
inline std::vector<float> random_row(std::size_t width, std::uint64_t seed, double range = 3.0) {
  std::vector<float> row(width);
  for (std::size_t i = 0; i < width; ++i)
    row[i] = static_cast<float>((2.0 * random_unit(seed, i) - 1.0) * range);
  return row;
}

inline std::vector<std::uint32_t> bits_of(const std::vector<float>& row) {
  std::vector<std::uint32_t> bits;
  bits.reserve(row.size());
  for (const float value : row) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

class RowwiseTest : public testing::TestWithParam<Isa> {
 protected:
  const RowwiseKernels& kernels() const { return rowwise_kernels(GetParam()); }
};

inline auto every_isa() { return testing::ValuesIn(cpu_isas().begin(), cpu_isas().end()); }
inline std::string isa_name(const testing::TestParamInfo<Isa>& info) {
  return std::string(to_string(info.param));
}

}  // namespace vl2
