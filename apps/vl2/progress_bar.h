// SPDX-License-Identifier: MIT
// One line on standard error that says how far something has come, and disappears.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "vl2/engine.h"

namespace vl2 {

// Draws only if standard error is a terminal and the work takes longer than a moment.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const Progress& progress);
  // `what` as wide as the other lines have it: 17 characters.
  void show(std::string_view what, std::size_t done, std::size_t total);
  // Wipes the line. Call it before anything else is written.
  void clear();

 private:
  void draw(int stage, std::string_view line);

  using Clock = std::chrono::steady_clock;

  bool terminal_;
  bool drawn_ = false;
  int stage_ = static_cast<int>(Stage::loading);
  Clock::time_point last_drawn_;
};

}  // namespace vl2
