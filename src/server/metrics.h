// SPDX-License-Identifier: MIT
// Counters and histograms in the text format of Prometheus (version 0.0.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "server/engine_thread.h"

namespace vl2 {

class Histogram {
 public:
  static constexpr std::array<double, 12> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,   0.25,   0.5,   1.0,  2.5,   10.0};

  void add(double seconds);
  void write(std::string& out, const std::string& name, const std::string& help) const;

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_ = {};
  double sum_ = 0.0;
};

// Any number of threads.
class Metrics {
 public:
  void count_request(const std::string& route, int status, double seconds);
  void count_answer(const Usage& usage, const Timings& timings);
  void count_step(double seconds);
  void count_first_token(double seconds);

  std::string text(const EngineStatus& engine) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;  // by route and status
  Histogram request_seconds_;
  Histogram step_seconds_;
  Histogram first_token_seconds_;
  Usage tokens_;
  Timings busy_;
  std::uint64_t answers_ = 0;
};

}  // namespace vl2
