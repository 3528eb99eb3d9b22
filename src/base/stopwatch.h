// SPDX-License-Identifier: MIT
// How long something takes, by the clock on the wall.
#pragma once

#include <chrono>

namespace vl2 {

// Runs from when it is made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace vl2
