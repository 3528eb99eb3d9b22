// SPDX-License-Identifier: MIT
// The search for codes and scales, a panel of 16 columns at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace vl2 {

// Every function treats each of 16 columns alone, with sums over ascending k, so all sets give the
// same bits. Numbers are [k][16 columns]; `importance` [k] weighs squared errors. Numbers that are
// not finite give some valid codes.
struct QuantizeFunctions {
  // codes [depth][16] and multipliers [16] of least weighted squared error: the largest number, or
  // up to 6% less, becomes 127, and the multiplier is then fitted to the codes. A column of zeros
  // has multiplier 0.
  void (*int8_panel)(const float* panel, std::size_t depth, const float* importance,
                     std::int8_t* codes, float* multipliers);
  // A group of 16 k. `unit` [16], powers of two, divide the numbers. codes [16][16], scales [16]
  // (tensor/format/int4.h) of least weighted squared error among 12 scales a column.
  void (*int4_group)(const float* group, const float* importance, const float* unit,
                     std::uint8_t* codes, std::uint8_t* scales);
};

// The fastest for an instruction set of ours.
const QuantizeFunctions& quantize_functions(Isa isa);

}  // namespace vl2
