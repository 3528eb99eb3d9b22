// SPDX-License-Identifier: MIT
#include "bench_samples.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include <sched.h>

#include "vl2/error.h"

#include "interrupt.h"

namespace vl2 {
namespace {

bool set_priority(const ThreadTeam& team, int policy, int priority) {
  std::atomic<bool> done{true};
  team.run([&](std::size_t, std::size_t) {
    const sched_param parameters{priority};
    if (sched_setscheduler(0, policy, &parameters) != 0) done = false;
  });
  return done;
}

// While it lives, no ordinary program takes the cores away.
class RealTime {
 public:
  explicit RealTime(const ThreadTeam& team) : team_(team) {
    if (set_priority(team_, SCHED_RR, 1)) return;
    set_priority(team_, SCHED_OTHER, 0);
    throw Error(ErrorCode::invalid_argument,
                "real-time priority is not allowed here; run as root, or without --realtime");
  }
  ~RealTime() { set_priority(team_, SCHED_OTHER, 0); }
  RealTime(const RealTime&) = delete;
  RealTime& operator=(const RealTime&) = delete;

 private:
  const ThreadTeam& team_;
};

double limit_of(const MachineLimits& limits, Bound bound) {
  return bound == Bound::arithmetic ? limits.flops_per_second : limits.read_bytes_per_second;
}

struct Sample {
  double amount = 0.0;
  double seconds = 0.0;
  double ideal_seconds = 0.0;
};

Sample take_sample(const LimitMeter& limits, Bound bound, std::span<const Piece> pieces) {
  Sample sample;
  double before = limit_of(limits.measure(), bound);
  for (const Piece& piece : pieces) {
    stop_if_interrupted();
    sample.amount += piece.amount;
    sample.seconds += piece.seconds();
    const double after = limit_of(limits.measure(), bound);
    sample.ideal_seconds += piece.amount / ((before + after) / 2);
    before = after;
  }
  return sample;
}

}  // namespace

double median(std::span<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

SpeedMeter::SpeedMeter(const LimitMeter& limits, const ThreadTeam& team, Options options)
    : limits_(limits), team_(team), options_(options) {
  if (options_.realtime) const RealTime probe(team_);
}

MachineLimits SpeedMeter::limits() const {
  std::optional<RealTime> priority;
  if (options_.realtime) priority.emplace(team_);
  return limits_.measure();
}

Figures SpeedMeter::measure(Bound bound, std::span<const Piece> pieces) const {
  for (const Piece& piece : pieces) {  // touches memory that later runs find ready
    stop_if_interrupted();
    piece.seconds();
  }
  std::vector<double> seconds, rates, limits, shares;
  for (int i = 0; i < options_.repeat; ++i) {
    std::optional<RealTime> priority;
    if (options_.realtime) priority.emplace(team_);
    const Sample sample = take_sample(limits_, bound, pieces);
    seconds.push_back(sample.seconds);
    rates.push_back(sample.amount / sample.seconds);
    limits.push_back(sample.amount / sample.ideal_seconds);
    shares.push_back(sample.ideal_seconds / sample.seconds);
  }
  return {median(seconds), median(rates), median(limits), median(shares)};
}

Comparison SpeedMeter::compare(const std::function<double()>& one,
                               const std::function<double()>& other) const {
  one();
  other();
  std::vector<double> ones, others, ratios;
  for (int i = 0; i < options_.repeat; ++i) {
    stop_if_interrupted();
    std::optional<RealTime> priority;
    if (options_.realtime) priority.emplace(team_);
    ones.push_back(one());
    others.push_back(other());
    ratios.push_back(others.back() / ones.back());
  }
  return {median(ones), median(others), median(ratios)};
}

}  // namespace vl2
