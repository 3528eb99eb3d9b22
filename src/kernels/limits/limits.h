// SPDX-License-Identifier: MIT
// What this machine can do at most, measured, for results to be divided by.
#pragma once

#include "base/cpu.h"
#include "base/parallel.h"
#include "tensor/tiles.h"

namespace vl2 {

// FLOP/s of the instruction that multiplies and adds `operand` numbers on `isa` (one of
// cpu_isas()), on all threads of the team at once: registers only, nothing is loaded. The best of
// several short samples. Takes some 0.1 s.
double measure_matmul_peak(Isa isa, Operand operand, const ThreadTeam& team);

// Bytes/s of plain loads of all threads from a buffer much larger than the caches. The best of
// several samples. Takes about a second and up to 2 GiB of memory while it runs; throws
// Error{out_of_memory} if there is none.
double measure_read_bandwidth(const ThreadTeam& team);

}  // namespace vl2
