// SPDX-License-Identifier: MIT
#include "kernels/attention/walk.h"

#include <algorithm>
#include <limits>

#include "kernels/attention/plan.h"

namespace vl2 {

void AttentionProblem::prepare(std::size_t, std::byte*) const {}

namespace {

constexpr std::size_t kOutNumbers = kLanes * kPairColumns;  // of a pair of columns

// How large everything is that the walk keeps.
struct Extents {
  AttentionProblem::Sizes sizes;
  std::size_t pairs;
  std::size_t tile_bytes;
  std::size_t block_keys;  // no more than there are
  std::size_t blocks_together = 1;
  bool several_segments = false;

  Extents(const AttentionProblem& problem, Operand operand)
      : sizes(problem.sizes()),
        pairs(tiles_of(sizes.value_columns, kPairColumns)),
        tile_bytes(kTileNumbers * bytes_of(operand)),
        block_keys(sizes.block_keys) {}

  std::size_t query_bytes() const { return sizes.depth_tiles * 2 * tile_bytes; }
  std::size_t probability_bytes() const { return block_keys / kPageTokens * 2 * tile_bytes; }
  std::size_t state_bytes() const { return (pairs * kOutNumbers + 2 * kLanes) * sizeof(float); }
  std::size_t row_block_bytes() const {
    return query_bytes() + probability_bytes() + state_bytes();
  }
};

AttentionState state_at(std::byte* memory, const Extents& extents) {
  auto* numbers = reinterpret_cast<float*>(memory);
  const std::size_t out = extents.pairs * kOutNumbers;
  return {numbers, numbers + out, numbers + out + kLanes};
}

// What a thread works in. Sizes are multiples of 64 bytes.
struct Scratch {
  std::byte* query;          // [row block] a right operand
  float* scores;             // [block_keys][32]
  std::byte* probabilities;  // [row block] left tiles
  std::byte* values;         // right tiles of a block's keys, 32 columns
  std::byte* states;         // [row block] of the keys so far
  std::byte* segment;        // [row block] of a segment
  std::byte* prepared;
  std::byte* store_room;

  static std::size_t bytes(const Extents& extents) {
    Scratch none{};
    return none.lay_out(nullptr, extents);
  }
  // Cuts the memory up; returns how much that takes.
  std::size_t lay_out(std::byte* memory, const Extents& e) {
    std::size_t used = 0;
    const auto take = [&](std::size_t size) {
      std::byte* part = memory == nullptr ? nullptr : memory + used;
      used += round_up(size, 64);
      return part;
    };
    query = take(e.blocks_together * e.query_bytes());
    scores = reinterpret_cast<float*>(take(e.block_keys * kLanes * sizeof(float)));
    probabilities = take(e.blocks_together * e.probability_bytes());
    values = take(e.block_keys / kPageTokens * 2 * e.tile_bytes);
    states = take(e.blocks_together * e.state_bytes());
    segment = take(e.several_segments ? e.blocks_together * e.state_bytes() : 0);
    prepared = take(e.sizes.prepared_bytes);
    store_room = take(e.pairs * 2 * e.tile_bytes);
    return used;
  }
};

// Keys first_key .. first_key + count - 1 of a segment.
struct KeyBlock {
  std::size_t segment_begin;
  std::size_t first_key;
};

// One thread's work.
class Walker {
 public:
  Walker(const KernelSet& kernels, const AttentionProblem& problem, const Extents& extents,
         std::byte* memory)
      : kernels_(kernels), problem_(problem), extents_(extents) {
    scratch_.lay_out(memory, extents);
    kernels_.matmul->configure(kTileRows);
  }
  ~Walker() { kernels_.matmul->release(); }
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;

  // All rows of the job over all their keys.
  void whole_job(const AttentionJob& job) {
    const std::size_t rows_together = extents_.blocks_together * kLanes;
    for (std::size_t row = 0; row < job.rows; row += rows_together) {
      open(job, row, std::min(rows_together, job.rows - row));
      const std::size_t segments = tiles_of(seen_by_last(count_ - 1), kAttentionSegment);
      segment(0, scratch_.states);
      for (std::size_t s = 1; s < segments; ++s) {
        segment(s, scratch_.segment);
        for (std::size_t b = 0; b < count_; ++b)
          if (seen_by_last(b) > s * kAttentionSegment)
            merge(b, state(scratch_.states, b), state(scratch_.segment, b));
      }
      for (std::size_t b = 0; b < count_; ++b)
        problem_.store(block(b), state(scratch_.states, b), scratch_.store_room);
    }
  }

  // One segment of a job of one row block; its state is left in `memory`.
  void one_segment(const AttentionJob& job, std::size_t s, std::byte* memory) {
    open(job, 0, job.rows);
    segment(s, memory);
  }
  // The rest of such a job: merges the states of all segments, in order, into the first.
  void merge_segments(const AttentionJob& job, std::byte* memory, std::size_t segments) {
    strand_ = problem_.strand(job.strand);
    job_ = {job.strand, job.first_row, job.rows};
    count_ = 1;
    const AttentionState all = state(memory, 0);
    for (std::size_t s = 1; s < segments; ++s) merge(0, all, state(memory, s));
    problem_.store(block(0), all, scratch_.store_room);
  }

 private:
  // Begins with rows of a job: prepares their strand and packs their queries.
  void open(const AttentionJob& job, std::size_t first, std::size_t rows) {
    if (job.strand != prepared_strand_) problem_.prepare(job.strand, scratch_.prepared);
    prepared_strand_ = job.strand;
    strand_ = problem_.strand(job.strand);
    job_ = {job.strand, job.first_row + first, rows};
    count_ = tiles_of(rows, kLanes);
    for (std::size_t b = 0; b < count_; ++b) problem_.pack_query(block(b), query(b));
  }

  RowBlock block(std::size_t b) const {
    return {job_.strand, job_.first_row + b * kLanes, std::min(kLanes, job_.rows - b * kLanes)};
  }
  std::size_t seen_by_last(std::size_t b) const {
    const RowBlock rows = block(b);
    return strand_.seen(rows.first_row + rows.rows - 1);
  }
  std::byte* query(std::size_t b) const { return scratch_.query + b * extents_.query_bytes(); }
  std::byte* probabilities(std::size_t b) const {
    return scratch_.probabilities + b * extents_.probability_bytes();
  }
  AttentionState state(std::byte* memory, std::size_t i) const {
    return state_at(memory + i * extents_.state_bytes(), extents_);
  }
  // Keys of a block that the last row of row block b sees.
  std::size_t keys_of(std::size_t b, std::size_t first_key) const {
    const std::size_t seen = seen_by_last(b);
    return seen > first_key ? std::min(extents_.block_keys, seen - first_key) : 0;
  }

  // The running softmax over one segment, from nothing.
  void segment(std::size_t s, std::byte* states) {
    for (std::size_t b = 0; b < count_; ++b) {
      const AttentionState empty = state(states, b);
      std::fill_n(empty.maximum, kLanes, kNoMaximum);
      std::fill_n(empty.sum, kLanes, 0.0F);
    }
    const std::size_t begin = s * kAttentionSegment;
    const std::size_t end = std::min(begin + kAttentionSegment, seen_by_last(count_ - 1));
    for (std::size_t key = begin; key < end; key += extents_.block_keys) {
      for (std::size_t b = 0; b < count_; ++b)
        if (keys_of(b, key) > 0) probabilities_of(b, {begin, key}, state(states, b));
      add_values({begin, key}, states);
    }
  }

  void probabilities_of(std::size_t b, const KeyBlock& keys, const AttentionState& state) {
    const RowBlock rows = block(b);
    const std::size_t count = keys_of(b, keys.first_key);
    BlockProduct product;
    product.left_row_tile_bytes = extents_.sizes.depth_tiles * extents_.tile_bytes;
    product.right = query(b);
    product.depth_tiles = extents_.sizes.depth_tiles;
    product.panels = rows.lane_groups();
    for (std::size_t key = 0; key < count; key += kPageTokens) {
      product.left =
          problem_.keys(rows.strand, (keys.first_key + key) / kPageTokens, scratch_.prepared);
      product.rows = std::min(kPageTokens, count - key);
      fetch_next_page(rows, keys.first_key + key, product);
      product.out = scratch_.scores + key * kLanes;
      kernels_.matmul->run(product);
    }
    SoftmaxBlock softmax;
    softmax.scores = scratch_.scores;
    softmax.keys = round_up(count, kPageTokens);
    softmax.lane_groups = rows.lane_groups();
    softmax.seen = seen_by_lanes(rows, keys.first_key, softmax.keys);
    softmax.probabilities = probabilities(b);
    softmax.maximum = state.maximum;
    softmax.sum = state.sum;
    softmax.factor = factor_;
    const bool grown = kernels_.attention->softmax(softmax);
    if (grown && keys.first_key > keys.segment_begin)
      kernels_.attention->rescale(state.out, extents_.pairs, rows.rows, factor_);
  }

  // Has the page after this one fetched while the first row block of the job multiplies: pages lie
  // anywhere in memory, so the processor cannot foresee it.
  void fetch_next_page(const RowBlock& rows, std::size_t key, BlockProduct& product) const {
    product.ahead = nullptr;
    if (extents_.sizes.page_bytes == 0) return;
    const std::size_t next = key + kPageTokens;
    if (rows.first_row != job_.first_row || next >= strand_.seen(rows.first_row + rows.rows - 1))
      return;
    product.ahead = problem_.keys(rows.strand, next / kPageTokens, scratch_.prepared);
    product.ahead_bytes = extents_.sizes.page_bytes;
  }

  // How much of a block every lane sees, or null if all see all of it.
  const std::int32_t* seen_by_lanes(const RowBlock& rows, std::size_t first_key, std::size_t keys) {
    if (strand_.seen(rows.first_row) >= first_key + keys) return nullptr;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t seen = lane < rows.rows ? strand_.seen(rows.first_row + lane) : 0;
      seen_[lane] =
          static_cast<std::int32_t>(seen > first_key ? std::min(seen - first_key, keys) : 0);
    }
    return seen_;
  }

  void add_values(const KeyBlock& keys, std::byte* states) {
    const std::size_t most = tiles_of(keys_of(count_ - 1, keys.first_key), kPageTokens);
    BlockProduct product;
    product.accumulate = keys.first_key > keys.segment_begin;
    for (std::size_t pair = 0; pair < extents_.pairs; ++pair) {
      const ValuePart part{job_.strand, keys.first_key / kPageTokens, most, pair};
      product.right = problem_.values(part, scratch_.prepared, scratch_.values);
      const std::size_t columns = extents_.sizes.value_columns - pair * kPairColumns;
      product.panels = columns > kTileColumns ? 2 : 1;
      for (std::size_t b = 0; b < count_; ++b) {
        product.depth_tiles = tiles_of(keys_of(b, keys.first_key), kPageTokens);
        if (product.depth_tiles == 0) continue;
        product.left = probabilities(b);
        product.left_row_tile_bytes = product.depth_tiles * extents_.tile_bytes;
        product.rows = block(b).rows;
        product.out = state(states, b).out + pair * kOutNumbers;
        kernels_.matmul->run(product);
      }
    }
  }

  void merge(std::size_t b, const AttentionState& into, const AttentionState& from) const {
    kernels_.attention->merge(into, from, extents_.pairs, block(b).rows);
  }

  const KernelSet& kernels_;
  const AttentionProblem& problem_;
  const Extents& extents_;
  Scratch scratch_{};
  Strand strand_;
  RowBlock job_;  // rows worked on together: more than 32 here
  std::size_t count_ = 0;
  std::size_t prepared_strand_ = std::numeric_limits<std::size_t>::max();
  alignas(64) float factor_[kLanes];
  alignas(64) std::int32_t seen_[kLanes];
};

}  // namespace

void walk(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
          const AttentionProblem& problem) {
  const ScratchScope scope(arena);
  Extents extents(problem, kernels.operand);
  const auto team_size = static_cast<std::size_t>(team.size());
  const AttentionPlan plan =
      make_plan(problem, team_size, extents.row_block_bytes(), extents.state_bytes(), arena);
  if (plan.jobs.empty()) return;
  extents.block_keys = std::min(extents.block_keys, round_up(plan.longest, kPageTokens));
  extents.blocks_together = plan.blocks_together;
  extents.several_segments = !plan.by_segment && plan.longest > kAttentionSegment;

  const std::size_t scratch_bytes = round_up(Scratch::bytes(extents), 4096);
  std::byte* scratch = arena.allocate(team_size * scratch_bytes);
  std::byte* segments =
      plan.by_segment ? arena.allocate(plan.units.size() * extents.state_bytes()) : nullptr;
  const auto segment_state = [&](std::size_t unit) {
    return segments + unit * extents.state_bytes();
  };
  const auto work = [&](std::size_t thread, std::size_t threads) {
    const FlushDenormals flush;
    Walker walker(kernels, problem, extents, scratch + thread * scratch_bytes);
    plan.for_share(thread, threads, [&](std::size_t i) {
      const AttentionUnit& unit = plan.units[i];
      const AttentionJob& job = plan.jobs[unit.job];
      if (plan.by_segment)
        walker.one_segment(job, unit.first_segment, segment_state(i));
      else
        walker.whole_job(job);
    });
    if (!plan.by_segment) return;
    team_barrier();
    for (std::size_t i = 0; i < plan.units.size(); ++i) {
      const AttentionUnit& unit = plan.units[i];
      const AttentionJob& job = plan.jobs[unit.job];
      if (unit.first_segment == 0 && unit.job % threads == thread)
        walker.merge_segments(job, segment_state(i), tiles_of(job.keys, kAttentionSegment));
    }
  };
  if (plan.units.size() == 1)
    work(0, 1);
  else
    team.run(work);
}

}  // namespace vl2
