// SPDX-License-Identifier: MIT
// The loops that limits.cc takes the time of.
#pragma once

#include <cstddef>

#include "base/cpu.h"
#include "tensor/tiles.h"

namespace vl2 {

// Independent chains of one instruction, more than its latency asks for.
struct PeakLoop {
  double flops_a_round;
  void (*run)(std::size_t rounds);
};
PeakLoop peak_loop(Isa isa, Operand operand);

// Loads every byte of a multiple of 256.
using ReadLoop = void (*)(const std::byte* from, std::size_t bytes);
ReadLoop read_loop(Isa isa);

}  // namespace vl2
