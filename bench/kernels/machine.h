// SPDX-License-Identifier: MIT
// What the figures of a benchmark are divided by.
#pragma once

#include <benchmark/benchmark.h>

#include "base/cpu.h"
#include "tensor/tiles.h"

namespace vl2 {

// Measured at the first call and kept. FLOP/s; bytes/s.
double matmul_peak(Isa isa, Operand operand, int threads);
double read_bandwidth(int threads);

// Adds GFLOP/s and the share of the peak (GB/s and the share of the bandwidth) of so many
// operations (bytes) an iteration.
void count_flops(benchmark::State& state, double flops, Isa isa, Operand operand, int threads);
void count_bytes(benchmark::State& state, double bytes, int threads);

// 1, and as many as there are.
std::vector<int> thread_counts();

}  // namespace vl2
