// SPDX-License-Identifier: MIT
#include "kernels/machine.h"

#include <map>
#include <string>
#include <tuple>

#include "kernels/limits/limits.h"

namespace vl2 {

double matmul_peak(Isa isa, Operand operand, int threads) {
  static std::map<std::tuple<Isa, Operand, int>, double> known;
  double& peak = known[{isa, operand, threads}];
  if (peak == 0.0) peak = measure_matmul_peak(isa, operand, ThreadTeam(threads));
  return peak;
}

double read_bandwidth(int threads) {
  static std::map<int, double> known;
  double& bandwidth = known[threads];
  if (bandwidth == 0.0) bandwidth = measure_read_bandwidth(ThreadTeam(threads));
  return bandwidth;
}

namespace {

void count_rate(benchmark::State& state, double amount, const char* unit, double limit,
                const char* share) {
  using benchmark::Counter;
  const double all = amount * static_cast<double>(state.iterations());
  state.counters[unit] = Counter(all * 1e-9, Counter::kIsRate);
  state.counters[share] = Counter(100.0 * all / limit, Counter::kIsRate);
}

}  // namespace

void count_flops(benchmark::State& state, double flops, Isa isa, Operand operand, int threads) {
  count_rate(state, flops, "GFLOP/s", matmul_peak(isa, operand, threads), "% of peak");
}
void count_bytes(benchmark::State& state, double bytes, int threads) {
  count_rate(state, bytes, "GB/s", read_bandwidth(threads), "% of reads");
}

std::vector<int> thread_counts() {
  const int all = ThreadTeam().size();
  return all == 1 ? std::vector<int>{1} : std::vector<int>{1, all};
}

}  // namespace vl2

int main(int argc, char** argv) {
  using namespace vl2;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("processor", std::string(cpu_name()));
  for (const int threads : thread_counts()) {
    const std::string suffix = ", " + std::to_string(threads) + " threads";
    benchmark::AddCustomContext("GB/s of reads" + suffix,
                                std::to_string(read_bandwidth(threads) * 1e-9));
    for (const Isa isa : cpu_isas())
      benchmark::AddCustomContext(std::string(to_string(isa)) + " bf16 GFLOP/s" + suffix,
                                  std::to_string(matmul_peak(isa, Operand::bf16, threads) * 1e-9));
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
