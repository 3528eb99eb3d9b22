// SPDX-License-Identifier: MIT
#include "kernels/attention/plan.h"

#include <algorithm>
#include <limits>

namespace vl2 {
namespace {

// So many jobs a thread make unequal costs even out.
constexpr std::size_t kJobsPerThread = 16;
// With fewer jobs a thread than this they are split by segments.
constexpr std::size_t kFewJobsPerThread = 4;
// Row blocks together fill at most this much of a second-level cache.
constexpr std::size_t kCacheBytes = std::size_t{640} << 10;
constexpr std::size_t kMostBlocksTogether = 8;
// Bound on the memory for states of segments that wait for the others.
constexpr std::size_t kMostStateBytes = std::size_t{64} << 20;

// In keys times numbers, a broadcast or a lane that carries nothing counted as one that does.
std::size_t cost_of(const AttentionProblem::Sizes& sizes, std::size_t rows, std::size_t keys) {
  const std::size_t scores = round_up(rows, kTileColumns) * sizes.depth_tiles * kTileDepth;
  return round_up(keys, kPageTokens) * (scores + rows * sizes.value_columns);
}

std::size_t cost_of(const AttentionProblem::Sizes& sizes, const Strand& strand,
                    const AttentionJob& job) {
  std::size_t cost = 0;
  for (std::size_t row = 0; row < job.rows; row += kLanes) {
    const std::size_t rows = std::min(kLanes, job.rows - row);
    cost += cost_of(sizes, rows, strand.seen(job.first_row + row + rows - 1));
  }
  return cost;
}

std::size_t segments_of(const AttentionJob& job) { return tiles_of(job.keys, kAttentionSegment); }

std::span<AttentionJob> make_jobs(const AttentionProblem& problem, std::size_t rows_each,
                                  Arena& arena) {
  const std::size_t strands = problem.sizes().strands;
  std::size_t count = 0;
  for (std::size_t i = 0; i < strands; ++i) count += tiles_of(problem.strand(i).rows, rows_each);
  const std::span<AttentionJob> jobs = arena.array<AttentionJob>(count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < strands; ++i) {
    const Strand strand = problem.strand(i);
    for (std::size_t row = 0; row < strand.rows; row += rows_each) {
      const std::size_t rows = std::min(rows_each, strand.rows - row);
      jobs[next++] = {i, row, rows, strand.seen(row + rows - 1)};
    }
  }
  return jobs;
}

void make_units(const AttentionProblem& problem, AttentionPlan& plan, Arena& arena) {
  const AttentionProblem::Sizes sizes = problem.sizes();
  std::size_t count = 0;
  for (const AttentionJob& job : plan.jobs) count += plan.by_segment ? segments_of(job) : 1;
  plan.units = arena.array<AttentionUnit>(count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const AttentionJob& job = plan.jobs[i];
    const std::size_t segments = segments_of(job);
    if (!plan.by_segment) {
      plan.units[next++] = {i, 0, segments, cost_of(sizes, problem.strand(job.strand), job)};
      continue;
    }
    for (std::size_t s = 0; s < segments; ++s) {
      const std::size_t keys = std::min(kAttentionSegment, job.keys - s * kAttentionSegment);
      plan.units[next++] = {i, s, s + 1, cost_of(sizes, job.rows, keys)};
    }
  }
  for (const AttentionUnit& unit : plan.units) plan.total_cost += unit.cost;
}

}  // namespace

AttentionPlan make_plan(const AttentionProblem& problem, std::size_t threads,
                        std::size_t row_block_bytes, std::size_t state_bytes, Arena& arena) {
  const AttentionProblem::Sizes sizes = problem.sizes();
  const bool prepared = sizes.prepared_bytes > 0;
  std::size_t blocks = 0;
  for (std::size_t i = 0; i < sizes.strands; ++i)
    blocks += tiles_of(problem.strand(i).rows, kLanes);

  AttentionPlan plan;
  // Prepared values cost nothing to use again, and preparing is done best once a strand.
  if (!prepared)
    plan.blocks_together =
        std::clamp(kCacheBytes / row_block_bytes, std::size_t{1}, kMostBlocksTogether);
  const std::size_t most =
      prepared ? std::numeric_limits<std::size_t>::max() : plan.blocks_together;
  const std::size_t job_blocks =
      std::clamp(blocks / (kJobsPerThread * threads), std::size_t{1}, most);
  plan.jobs = make_jobs(problem, job_blocks * kLanes, arena);

  std::size_t segments = 0;
  for (const AttentionJob& job : plan.jobs) {
    plan.longest = std::max(plan.longest, job.keys);
    segments += segments_of(job);
  }
  plan.by_segment = threads > 1 && job_blocks == 1 && segments > plan.jobs.size() &&
                    plan.jobs.size() < kFewJobsPerThread * threads &&
                    segments * state_bytes <= kMostStateBytes;
  plan.blocks_together = std::min(plan.blocks_together, job_blocks);
  make_units(problem, plan, arena);
  return plan;
}

}  // namespace vl2
