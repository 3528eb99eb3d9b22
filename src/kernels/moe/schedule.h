// SPDX-License-Identifier: MIT
// Which rows each expert gets, and which thread does what. Functions of the routing, the shapes and
// the number of threads alone; results do not depend on them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/parallel.h"
#include "kernels/moe/experts.h"
#include "tensor/arena.h"

namespace vl2 {

// With fewer rows an expert, on average, threads share each expert.
inline constexpr std::size_t kRowsWorthAThread = 32;

// An expert that somebody chose.
struct ExpertGroup {
  std::size_t expert = 0;
  std::size_t count = 0;             // rows
  std::size_t first_slot = 0;        // of `count` slots side by side
  std::size_t first_packed_row = 0;  // as first_slot, when every group begins a tile of 16 rows
  std::size_t cost_before = 0;       // of a pair of panels of all groups before, see cost_of()
};

struct Grouping {
  std::span<ExpertGroup> groups;     // by ascending expert
  std::span<std::uint32_t> tokens;   // [slot], rows of x; ascending inside a group
  std::span<std::uint32_t> slot_of;  // [token][rank]
  std::size_t packed_rows = 0;       // of all groups
  std::size_t most_rows = 0;         // of a group
  std::size_t cost = 0;              // of a pair of panels of all groups

  std::span<const std::uint32_t> tokens_of(const ExpertGroup& group) const {
    return tokens.subspan(group.first_slot, group.count);
  }
};

// Tokens of the routing are rows first_token, first_token + 1, ... of x. Memory is the arena's.
// Every expert index must be below `experts`.
Grouping group_by_expert(const Routing& routing, std::size_t first_token, std::size_t experts,
                         Arena& arena);

// Time of a pair of panels with so many rows: reading it takes as long as multiplying some 48 rows.
constexpr std::size_t cost_of(std::size_t rows) noexcept { return rows + 48; }

// f(group, pairs) for this thread's contiguous share of all (group, pair), equal in cost.
template <class F>
void for_each_share(const Grouping& groups, std::size_t pairs, std::size_t thread,
                    std::size_t threads, F&& f) {
  const std::size_t total = groups.cost * pairs;
  const std::size_t from = total * thread / threads;
  const std::size_t to = total * (thread + 1) / threads;
  for (const ExpertGroup& group : groups.groups) {
    const std::size_t cost = cost_of(group.count);
    const std::size_t before = group.cost_before * pairs;
    // The first pair whose beginning is not before `at`.
    const auto pair_at = [&](std::size_t at) {
      return at <= before ? 0 : std::min(pairs, (at - before + cost - 1) / cost);
    };
    const Share share{pair_at(from), pair_at(to)};
    if (share.begin < share.end) f(group, share);
  }
}

// Whole experts to threads, the longest first, each to the thread with the least to do.
struct ExpertOwners {
  std::span<std::uint32_t> owner_of;  // [group]
  // False if some thread would have much more to do than others, or experts have so few rows that
  // reading weights is all: then all threads should share every expert.
  bool balanced = false;
};
ExpertOwners assign_experts(const Grouping& groups, std::size_t threads, Arena& arena);

}  // namespace vl2
