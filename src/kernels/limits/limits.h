// SPDX-License-Identifier: MIT
// What this machine can do at most, measured, for results to be divided by.
#pragma once

#include "base/aligned.h"
#include "base/cpu.h"
#include "base/parallel.h"
#include "tensor/tiles.h"

namespace vl2 {

// FLOP/s of the instruction that multiplies and adds `operand` numbers on `isa` (one of
// cpu_isas()), on all threads of the team at once: registers only, nothing is loaded. The best of
// several short samples. Takes some 0.1 s.
double measure_matmul_peak(Isa isa, Operand operand, const ThreadTeam& team);

// Bytes/s of plain loads of all threads from a buffer much larger than the caches. The best of
// several samples. Takes about a second and up to 1 GiB of memory while it runs; throws
// Error{out_of_memory} if there is none.
double measure_read_bandwidth(const ThreadTeam& team);

struct MachineLimits {
  double flops_per_second = 0.0;
  double read_bytes_per_second = 0.0;
};

// The same two, again and again: keeps its memory, so that a measurement takes some 60 ms and can
// stand next to what it is compared with. The limits of a shared machine move within seconds.
class LimitMeter {
 public:
  // Throws as measure_read_bandwidth(). For one thread at a time.
  LimitMeter(Isa isa, Operand operand, const ThreadTeam& team);
  MachineLimits measure() const;

 private:
  Isa isa_;
  Operand operand_;
  ThreadTeam team_;
  AlignedBuffer buffer_;
};

}  // namespace vl2
