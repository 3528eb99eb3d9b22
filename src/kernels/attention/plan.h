// SPDX-License-Identifier: MIT
// Which thread walks over what.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/attention/walk.h"

namespace vl2 {

// Rows of one strand that one thread takes over all their keys.
struct AttentionJob {
  std::size_t strand = 0;
  std::size_t first_row = 0;
  std::size_t rows = 0;
  std::size_t keys = 0;  // that its last row sees
};

// A job, or one segment of it when there are too few jobs to keep all threads busy.
struct AttentionUnit {
  std::size_t job = 0;
  std::size_t first_segment = 0;
  std::size_t end_segment = 0;
  std::size_t cost = 0;
};

struct AttentionPlan {
  std::span<AttentionJob> jobs;
  std::span<AttentionUnit> units;
  // Every unit is one segment of a job of one row block. Units of a job follow each other.
  bool by_segment = false;
  std::size_t blocks_together = 1;  // row blocks that share what is made of a block of keys
  std::size_t longest = 0;          // the most keys a row sees
  std::size_t total_cost = 0;

  // Calls f(unit index) for the share of one thread: contiguous, of nearly equal cost.
  template <class F>
  void for_share(std::size_t thread, std::size_t threads, F f) const {
    std::size_t before = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      const std::size_t middle = before + units[i].cost / 2;
      before += units[i].cost;
      if (middle * threads / total_cost == thread) f(i);
    }
  }
};

// `row_block_bytes`: what a row block keeps in cache; `state_bytes`: what it leaves behind when a
// job is split by segments.
AttentionPlan make_plan(const AttentionProblem& problem, std::size_t threads,
                        std::size_t row_block_bytes, std::size_t state_bytes, Arena& arena);

}  // namespace vl2
