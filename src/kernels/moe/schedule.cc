// SPDX-License-Identifier: MIT
#include "kernels/moe/schedule.h"

#include <numeric>

#include "base/check.h"
#include "tensor/tiles.h"

namespace vl2 {
Grouping group_by_expert(const Routing& routing, std::size_t first_token, std::size_t experts,
                         Arena& arena) {
  const std::size_t slots = routing.experts.size();
  const auto counts = arena.array<std::uint32_t>(experts);
  std::fill(counts.begin(), counts.end(), 0U);
  for (const std::uint32_t expert : routing.experts) {
    VL2_CHECK(expert < experts);
    ++counts[expert];
  }
  Grouping out;
  out.tokens = arena.array<std::uint32_t>(slots);
  out.slot_of = arena.array<std::uint32_t>(slots);
  const auto groups = arena.array<ExpertGroup>(std::min(experts, slots));
  const auto next_slot = arena.array<std::uint32_t>(experts);
  std::size_t used = 0;
  std::uint32_t slot = 0;
  for (std::size_t expert = 0; expert < experts; ++expert) {
    next_slot[expert] = slot;
    if (counts[expert] == 0) continue;
    const std::size_t count = counts[expert];
    groups[used++] = {expert, count, slot, out.packed_rows, out.cost};
    slot += counts[expert];
    out.packed_rows += round_up(count, kTileRows);
    out.most_rows = std::max(out.most_rows, count);
    out.cost += cost_of(count);
  }
  out.groups = groups.first(used);
  for (std::size_t i = 0; i < slots; ++i) {
    const std::uint32_t own = next_slot[routing.experts[i]]++;
    out.tokens[own] = static_cast<std::uint32_t>(first_token + i / routing.top_k);
    out.slot_of[i] = own;
  }
  return out;
}

ExpertOwners assign_experts(const Grouping& groups, std::size_t threads, Arena& arena) {
  const std::size_t count = groups.groups.size();
  ExpertOwners out{arena.array<std::uint32_t>(count)};
  const auto order = arena.array<std::uint32_t>(count);
  std::iota(order.begin(), order.end(), 0U);
  const auto cost = [&](std::uint32_t i) {
    return cost_of(round_up(groups.groups[i].count, kTileRows));
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return cost(a) != cost(b) ? cost(a) > cost(b) : a < b;
  });
  const auto load = arena.array<std::size_t>(threads);
  std::fill(load.begin(), load.end(), std::size_t{0});
  for (const std::uint32_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    out.owner_of[i] = static_cast<std::uint32_t>(least - load.begin());
    *least += cost(i);
  }
  const std::size_t longest = *std::max_element(load.begin(), load.end());
  const std::size_t sum = std::accumulate(load.begin(), load.end(), std::size_t{0});
  const bool even = longest * threads * 8 <= sum * 9;  // an eighth more than the mean
  out.balanced = even && groups.tokens.size() >= kRowsWorthAThread * count;
  return out;
}

}  // namespace vl2
