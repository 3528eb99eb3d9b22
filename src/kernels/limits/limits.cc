// SPDX-License-Identifier: MIT
#include "kernels/limits/limits.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <unistd.h>

#include "base/aligned.h"
#include "kernels/limits/loops.h"

namespace vl2 {
namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Seconds of one call of f: other programs only ever add time, so the least of several.
template <class F>
double least_time_s(int samples, F&& f) {
  double least = 1e30;
  for (int i = 0; i < samples; ++i) {
    const double start = now_s();
    f();
    least = std::min(least, now_s() - start);
  }
  return least;
}

// Several times the last cache.
std::size_t buffer_bytes() {
  constexpr std::size_t kLeast = std::size_t{256} << 20;
  constexpr std::size_t kMost = std::size_t{1} << 30;
#ifdef _SC_LEVEL3_CACHE_SIZE
  const long last_cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  if (last_cache > 0) return std::clamp(static_cast<std::size_t>(last_cache) * 6, kLeast, kMost);
#endif
  return kLeast;
}

// Units of threads' shares; also what loops fetch ahead.
constexpr std::size_t kReadUnit = 4096;

// Written once, so that every page has memory of its own, near the thread that reads it.
AlignedBuffer read_buffer(const ThreadTeam& team) {
  AlignedBuffer buffer(round_up(buffer_bytes(), kReadUnit) + kReadUnit);
  team.split(buffer.size() - kReadUnit, kReadUnit, [&](std::size_t begin, std::size_t end) {
    std::memset(buffer.data() + begin, 1, end - begin);
  });
  return buffer;
}

double matmul_peak(Isa isa, Operand operand, const ThreadTeam& team, int samples) {
  constexpr double kSampleSeconds = 2e-3;
  const PeakLoop loop = peak_loop(isa, operand);
  constexpr std::size_t kTrial = 1000;
  const double trial_s = std::max(least_time_s(5, [&] { loop.run(kTrial); }), 1e-7);
  const auto rounds = static_cast<std::size_t>(kTrial * std::max(kSampleSeconds / trial_s, 1.0));
  std::size_t running = 1;
  const double seconds = least_time_s(samples, [&] {
    team.run([&](std::size_t thread, std::size_t threads) {
      if (thread == 0) running = threads;
      loop.run(rounds);
    });
  });
  return loop.flops_a_round * static_cast<double>(rounds * running) / seconds;
}

double read_bandwidth(const AlignedBuffer& buffer, const ThreadTeam& team, int samples) {
  const ReadLoop read = read_loop(cpu_isas().back());
  const std::size_t bytes = buffer.size() - kReadUnit;
  const double seconds = least_time_s(samples, [&] {
    team.split(bytes, kReadUnit, [&](std::size_t begin, std::size_t end) {
      read(buffer.data() + begin, end - begin);
    });
  });
  return static_cast<double>(bytes) / seconds;
}

}  // namespace

double measure_matmul_peak(Isa isa, Operand operand, const ThreadTeam& team) {
  return matmul_peak(isa, operand, team, 30);
}

double measure_read_bandwidth(const ThreadTeam& team) {
  return read_bandwidth(read_buffer(team), team, 8);
}

LimitMeter::LimitMeter(Isa isa, Operand operand, const ThreadTeam& team)
    : isa_(isa), operand_(operand), team_(team), buffer_(read_buffer(team)) {}

MachineLimits LimitMeter::measure() const {
  return {matmul_peak(isa_, operand_, team_, 8), read_bandwidth(buffer_, team_, 3)};
}

}  // namespace vl2
