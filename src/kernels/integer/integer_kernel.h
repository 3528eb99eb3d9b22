// SPDX-License-Identifier: MIT
// Products of 8-bit activations with int8 weights, one kernel an instruction set. Sums of integers
// have no rounding, so all kernels give the same numbers, whatever their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "kernels/integer/integer_block.h"

namespace vl2 {

// The depth up to which no 32-bit sum can overflow: 2^31 / (127 * 255).
inline constexpr std::size_t kMostIntegerDepth = 66000;

struct IntegerKernel {
  const char* name;
  Isa isa;
  // Of a tile of 64 k by 32 columns as expand() writes it.
  std::size_t tile_bytes;
  // What expand() adds to every code. The sums of run() are too large by this times the sum of the
  // row's codes.
  std::int32_t code_offset;
  // `count` steps of WeightFormat::int8 (32 k by 32 columns) to half as many tiles at `tiles`,
  // 64-byte aligned. Half a tile that no step fills keeps what it holds.
  void (*expand)(const std::byte* steps, std::size_t count, std::byte* tiles);
  void (*run)(const IntegerBlock& block);
};

// All that are compiled into this program, whether or not this processor can run them.
std::span<const IntegerKernel> integer_kernels();
// The one of an instruction set, or of the nearest plainer one that has it.
const IntegerKernel& integer_kernel(Isa isa);

}  // namespace vl2
