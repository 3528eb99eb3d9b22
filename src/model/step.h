// SPDX-License-Identifier: MIT
// What one step of the engine computes: a flat list of token rows from any number of sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/ops.h"

namespace vl2 {

// Rows of a picture, encoded before, that take the place of their placeholders' embeddings.
struct PictureRows {
  std::size_t first_row = 0;  // in the batch
  std::size_t row_count = 0;
  const float* rows = nullptr;  // [row_count][hidden_size]; the caller's
};

struct TokenBatch {
  std::vector<std::int32_t> tokens;      // [row]; placeholders of pictures hold any valid id
  std::vector<std::uint32_t> positions;  // [row], in the row's sequence
  std::vector<AttentionSpan> spans;      // cover all rows, in order
  std::vector<PictureRows> pictures;
  std::vector<std::uint32_t> wanted;  // rows whose logits are wanted

  std::size_t rows() const noexcept { return tokens.size(); }
  void clear() {
    tokens.clear();
    positions.clear();
    spans.clear();
    pictures.clear();
    wanted.clear();
  }
};

// Everything is borrowed for the length of the step.
struct Step {
  const TokenBatch& batch;
  const Ops& op;
  std::span<const LayerPages> caches;  // [layer]
};

}  // namespace vl2
