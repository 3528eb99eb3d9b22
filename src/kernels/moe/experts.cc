// SPDX-License-Identifier: MIT
// Tokens are grouped by expert, every (token, rank) gets a row of results, and each token then adds
// its rows in order of rank: what else is in the batch changes no bit.
#include "kernels/moe/experts.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/sweep.h"
#include "kernels/moe/schedule.h"

namespace vl2 {
namespace {

// Bound on the results of (token, rank) that are kept at a time; more tokens go in turns.
constexpr std::size_t kResultBytes = std::size_t{128} << 20;
// Rows of an expert that are multiplied at a time, so that they stay in the second-level cache.
constexpr std::size_t kMaxBlockRows = 256;

// Copies rows of x, already rounded, into tiles of their own; rows up to a multiple of 16 are zero.
void gather_rows(const Packed& x, std::span<const std::uint32_t> tokens, const Packed& out) {
  const std::size_t line_bytes = kTileDepth * bytes_of(x.operand);
  const std::size_t rows = round_up(tokens.size(), kTileRows);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t k = 0; k < x.width; k += kTileDepth) {
      std::byte* to = out.line(0, row, k);
      if (row < tokens.size())
        std::memcpy(to, x.line(0, tokens[row], k), line_bytes);
      else
        std::memset(to, 0, line_bytes);
    }
}

// `count` of the rows of a packed matrix from row `first`, a multiple of 16.
Packed packed_slice(const Packed& all, std::size_t first, std::size_t count) {
  return {all.line(0, first, 0), all.operand, count, all.width, 1};
}

struct Work {
  const KernelSet& kernels;
  const Packed& x;
  const ExpertWeights& experts;
  const Grouping& groups;
  Rows results;  // [slot][hidden]

  std::size_t hidden() const noexcept { return experts.down.columns(); }
  std::size_t inner() const noexcept { return experts.down.depth(); }

  void gate_up(const Packed& gathered, const Packed& activated, const ExpertGroup& group,
               Share pairs) const {
    sweep({kernels,
           gathered,
           experts.gate_up,
           group.expert,
           {0, gathered.count},
           pairs,
           StoreGated{activated}});
  }
  void down(const Packed& activated, Rows out, const ExpertGroup& group, Share pairs) const {
    sweep({kernels,
           activated,
           experts.down,
           group.expert,
           {0, activated.count},
           pairs,
           StoreRows{out}});
  }
  Rows results_of(const ExpertGroup& group) const {
    return results.slice(group.first_slot, group.count);
  }
};

// Whole experts on this thread, no waiting in between: rows and activations stay in its cache.
void run_whole(const Work& work, const ExpertGroup& group, const Packed& gathered,
               const Packed& activated) {
  const std::size_t blocks = tiles_of(group.count, gathered.count);
  const std::size_t block_rows = round_up(tiles_of(group.count, blocks), kBlockRows);
  for (std::size_t first = 0; first < group.count; first += block_rows) {
    const std::size_t count = std::min(block_rows, group.count - first);
    const Packed rows = packed_slice(gathered, 0, count);
    const Packed inner = packed_slice(activated, 0, count);
    gather_rows(work.x, work.groups.tokens_of(group).subspan(first, count), rows);
    work.gate_up(rows, inner, group, {0, work.experts.gate_up.pairs()});
    work.down(inner, work.results_of(group).slice(first, count), group,
              {0, work.experts.down.pairs()});
  }
}

void run_whole_experts(const Work& work, const ThreadTeam& team, Arena& arena,
                       const ExpertOwners& owners) {
  const ScratchScope scratch(arena);
  const auto threads = static_cast<std::size_t>(team.size());
  const Operand operand = work.x.operand;
  const Packed gathered = arena.packed(operand, kMaxBlockRows, work.x.width, threads);
  const Packed activated = arena.packed(operand, kMaxBlockRows, work.inner(), threads);
  team.run([&](std::size_t thread, std::size_t running) {
    const ProductScope scope(work.kernels, kTileRows);
    for (std::size_t owner = thread; owner < threads; owner += running)
      for (std::size_t i = 0; i < work.groups.groups.size(); ++i)
        if (owners.owner_of[i] == owner)
          run_whole(work, work.groups.groups[i], gathered.matrix(thread), activated.matrix(thread));
  });
}

// All threads on every expert in turn: each reads a contiguous share of the stream of all pairs.
void run_shared_experts(const Work& work, const ThreadTeam& team, Arena& arena) {
  const ScratchScope scratch(arena);
  const Grouping& groups = work.groups;
  const Packed gathered = arena.packed(work.x.operand, groups.packed_rows, work.x.width);
  const Packed activated = arena.packed(work.x.operand, groups.packed_rows, work.inner());
  const auto rows_in = [&](const Packed& all, const ExpertGroup& group) {
    return packed_slice(all, group.first_packed_row, group.count);
  };
  team.run([&](std::size_t thread, std::size_t threads) {
    const ProductScope scope(work.kernels, groups.most_rows);
    for (std::size_t i = thread; i < groups.groups.size(); i += threads)
      gather_rows(work.x, groups.tokens_of(groups.groups[i]), rows_in(gathered, groups.groups[i]));
    team_barrier();
    for_each_share(groups, work.experts.gate_up.pairs(), thread, threads,
                   [&](const ExpertGroup& group, Share pairs) {
                     work.gate_up(rows_in(gathered, group), rows_in(activated, group), group,
                                  pairs);
                   });
    team_barrier();
    for_each_share(groups, work.experts.down.pairs(), thread, threads,
                   [&](const ExpertGroup& group, Share pairs) {
                     work.down(rows_in(activated, group), work.results_of(group), group, pairs);
                   });
  });
}

void add_results(const Work& work, const ThreadTeam& team, const Routing& routing, Rows out) {
  team.split(out.count, 1, [&](std::size_t begin, std::size_t end) {
    const FlushDenormals flush;
    for (std::size_t token = begin; token < end; ++token)
      for (std::size_t rank = 0; rank < routing.top_k; ++rank) {
        const std::size_t i = token * routing.top_k + rank;
        work.kernels.rowwise->add_scaled(out.row(token), work.results.row(work.groups.slot_of[i]),
                                         routing.weights[i], out.width);
      }
  });
}

std::size_t tokens_at_a_time(std::size_t tokens, std::size_t top_k, std::size_t hidden) {
  const std::size_t most =
      std::max<std::size_t>(kResultBytes / (top_k * hidden * sizeof(float)), std::size_t{1});
  return tiles_of(tokens, std::max(tiles_of(tokens, most), std::size_t{1}));
}

struct Runner {
  const KernelSet& kernels;
  const ThreadTeam& team;
  Arena& arena;
};

// `x` has all rows; the routing and `out` those from `first` on that this turn is about.
void add_turn(const Runner& runner, Rows out, const Packed& x, std::size_t first,
              const Routing& routing, const ExpertWeights& experts) {
  const auto& [kernels, team, arena] = runner;
  const ScratchScope scratch(arena);
  const Grouping groups = group_by_expert(routing, first, experts.gate_up.stack(), arena);
  const Rows results = arena.rows(routing.experts.size(), out.width);
  const Work work{kernels, x, experts, groups, results};
  const ExpertOwners owners = assign_experts(groups, static_cast<std::size_t>(team.size()), arena);
  if (owners.balanced)
    run_whole_experts(work, team, arena, owners);
  else
    run_shared_experts(work, team, arena);
  add_results(work, team, routing, out);
}

}  // namespace

ExpertTurn expert_turn(const ExpertTurnSize& size) {
  const std::size_t tokens = tokens_at_a_time(size.tokens, size.top_k, size.hidden);
  const std::size_t slots = tokens * size.top_k;
  if (slots >= kRowsWorthAThread * size.experts) return {tokens, size.threads * kMaxBlockRows};
  const std::size_t groups = std::min(size.experts, slots);
  return {tokens, slots + groups * (kTileRows - 1)};
}

void add_experts(const KernelSet& kernels, const ThreadTeam& team, Arena& arena, Rows out,
                 const RoutedTokens& tokens, const ExpertWeights& experts) {
  const auto& [x, routing] = tokens;
  const std::size_t top_k = routing.top_k;
  VL2_ASSERT(out.count == x.count && routing.experts.size() == x.count * top_k);
  VL2_ASSERT(x.width == experts.gate_up.depth() && out.width == experts.down.columns());
  VL2_ASSERT(experts.gate_up.columns() == 2 * round_up(experts.down.depth(), kTileColumns));
  if (x.count == 0 || top_k == 0) return;
  const std::size_t each = tokens_at_a_time(x.count, top_k, out.width);
  for (std::size_t first = 0; first < x.count; first += each) {
    const std::size_t count = std::min(each, x.count - first);
    const Routing part{top_k, routing.experts.subspan(first * top_k, count * top_k),
                       routing.weights.subspan(first * top_k, count * top_k)};
    add_turn({kernels, team, arena}, out.slice(first, count), x, first, part, experts);
  }
}

}  // namespace vl2
