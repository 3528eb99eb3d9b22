// SPDX-License-Identifier: MIT
// Speeds next to limits: on a machine that other programs share, both move within seconds, so a
// sample is only compared with what the machine could do just before and just after it.
#pragma once

#include <functional>
#include <span>

#include "base/parallel.h"
#include "kernels/limits/limits.h"

namespace vl2 {

// What a part of the model is held against.
enum class Bound { arithmetic, reading };

// A stretch of a sample. Limits are taken between pieces.
struct Piece {
  double amount = 0.0;              // FLOP, or bytes that must be read
  std::function<double()> seconds;  // does the work
};

// Medians over the samples.
struct Figures {
  double seconds = 0.0;  // of all pieces
  double rate = 0.0;     // amount a second
  double limit = 0.0;    // the machine's, likewise
  double share = 0.0;    // the part of the time in which the machine, at its limit, would be done
};

// Medians over the samples.
struct Comparison {
  double one_seconds = 0.0;
  double other_seconds = 0.0;
  double ratio = 0.0;  // other / one
};

class SpeedMeter {
 public:
  struct Options {
    int repeat = 5;
    // Runs samples, limits too, at real-time priority, and nothing else.
    bool realtime = false;
  };
  // `limits` is borrowed. Throws Error{invalid_argument} if real-time priority is not allowed.
  SpeedMeter(const LimitMeter& limits, const ThreadTeam& team, Options options);

  // One measurement of the limits.
  MachineLimits limits() const;
  // Runs all pieces once for nothing, then `repeat` times. Throws Error{cancelled} on Ctrl-C.
  Figures measure(Bound bound, std::span<const Piece> pieces) const;
  // Two things that return the seconds they took, side by side in each sample.
  Comparison compare(const std::function<double()>& one,
                     const std::function<double()>& other) const;

 private:
  const LimitMeter& limits_;
  ThreadTeam team_;
  Options options_;
};

// The one in the middle, or the mean of the two. Sorts; there must be one.
double median(std::span<double> values);

}  // namespace vl2
