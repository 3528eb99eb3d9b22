// SPDX-License-Identifier: MIT
// The walk of query rows over keys, the same for every kind of attention and instruction set:
// segments of 1024 keys, in them blocks of keys, in them 32 keys at a time.
//
// Query rows are worked on in row blocks of up to 32, a few of them together so that what is made
// out of a block of keys serves all. A row's result is a function of its query, its keys and their
// positions: which rows share its row block, its job or its thread changes no bit.
#pragma once

#include <cstddef>

#include "base/parallel.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/attention_kernel.h"
#include "kernels/kernel_set.h"
#include "tensor/arena.h"

namespace vl2 {

// Query rows that meet the same keys: those of one span and one head of the cache, or of one
// picture tile and one head.
struct Strand {
  std::size_t rows = 0;
  std::size_t rows_per_token = 1;  // row r belongs to token r / rows_per_token
  std::size_t first_seen = 0;      // keys that the first token sees, at least 1
  bool causal = true;              // each token sees one more than the token before

  std::size_t seen(std::size_t row) const noexcept {
    return first_seen + (causal ? row / rows_per_token : 0);
  }
};

// Up to 32 rows of a strand.
struct RowBlock {
  std::size_t strand = 0;
  std::size_t first_row = 0;
  std::size_t rows = 0;

  std::size_t lane_groups() const noexcept { return tiles_of(rows, kTileColumns); }
};

// 32 columns of values wanted: of keys 32 * first_page .. 32 * (first_page + pages) - 1.
struct ValuePart {
  std::size_t strand = 0;
  std::size_t first_page = 0;
  std::size_t pages = 0;
  std::size_t pair = 0;
};

// What one kind of attention tells the walk. All functions may be called by several threads.
class AttentionProblem {
 public:
  struct Sizes {
    std::size_t strands = 0;
    std::size_t depth_tiles = 0;               // of a key
    std::size_t value_columns = 0;             // of an output row
    std::size_t block_keys = kAttentionBlock;  // divides kAttentionSegment
    std::size_t prepared_bytes = 0;            // of what prepare() makes
    // What lies at keys() and is used for 32 keys, their values included; 0 if it is in cache.
    std::size_t page_bytes = 0;
  };

  virtual ~AttentionProblem() = default;
  virtual Sizes sizes() const = 0;
  virtual Strand strand(std::size_t index) const = 0;
  // Called by a thread before it works on another strand than before.
  virtual void prepare(std::size_t strand, std::byte* prepared) const;
  // Writes a pair of panels, a lane a row, in units of log 2. Lanes beyond the rows, in a panel
  // that has rows, are zero.
  virtual void pack_query(const RowBlock& rows, std::byte* right) const = 0;
  // Left tiles [2][depth_tiles] of 32 keys.
  virtual const std::byte* keys(std::size_t strand, std::size_t page,
                                const std::byte* prepared) const = 0;
  // A pair of right tiles for each page, in `room` (as large as that) or where they are already.
  virtual const std::byte* values(const ValuePart& part, const std::byte* prepared,
                                  std::byte* room) const = 0;
  // Finishes and writes the rows' output. `room` has 32 rows of the output's width.
  virtual void store(const RowBlock& rows, const AttentionState& state, std::byte* room) const = 0;
};

// Computes every row of the problem. Scratch memory is the arena's, and free again on return.
void walk(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
          const AttentionProblem& problem);

}  // namespace vl2
