// SPDX-License-Identifier: MIT
#include "engine/scheduler.h"

#include <algorithm>

#include "base/check.h"

namespace vl2 {
namespace {

// Rows of the sequence's pictures that the span's tokens take.
void add_picture_rows(const PlannedSpan& span, std::size_t first_row, TokenBatch& batch) {
  for (const SequencePicture& picture : span.sequence->pictures()) {
    const std::size_t begin = std::max(span.first, picture.place.first);
    const std::size_t end =
        std::min(span.first + span.count, picture.place.first + picture.place.count);
    if (begin >= end) continue;
    VL2_CHECK(!picture.rows.empty());
    const std::size_t width = picture.rows.size() / picture.place.count;
    batch.pictures.push_back({first_row + (begin - span.first), end - begin,
                              picture.rows.data() + (begin - picture.place.first) * width});
  }
}

}  // namespace

std::vector<PlannedSpan> plan_step(std::span<Sequence* const> ready, const StepLimits& limits) {
  std::vector<PlannedSpan> plan;
  for (Sequence* sequence : ready)
    if (!sequence->in_prompt()) plan.push_back({sequence, sequence->computed(), 1});

  const std::size_t generating = plan.size();
  const std::size_t rows =
      generating == 0 ? limits.chunk_tokens
                      : std::min(limits.chunk_tokens, limits.chunk_tokens_while_generating);
  std::size_t room = std::max(rows, generating + 1) - generating;
  for (Sequence* sequence : ready) {
    if (room == 0) break;
    if (!sequence->in_prompt()) continue;
    const std::size_t count = std::min(room, sequence->uncomputed());
    plan.push_back({sequence, sequence->computed(), count});
    room -= count;
  }
  return plan;
}

void fill_batch(std::span<const PlannedSpan> plan, bool all_logits, TokenBatch& batch) {
  batch.clear();
  for (const PlannedSpan& span : plan) {
    const std::size_t first_row = batch.rows();
    const auto ids = span.sequence->ids().subspan(span.first, span.count);
    batch.tokens.insert(batch.tokens.end(), ids.begin(), ids.end());
    for (std::size_t i = 0; i < span.count; ++i) {
      batch.positions.push_back(static_cast<std::uint32_t>(span.first + i));
      if (all_logits) batch.wanted.push_back(static_cast<std::uint32_t>(first_row + i));
    }
    if (!all_logits && span.reaches_end())
      batch.wanted.push_back(static_cast<std::uint32_t>(batch.rows() - 1));
    batch.spans.push_back({first_row, span.count, span.first, span.sequence->pages()});
    add_picture_rows(span, first_row, batch);
  }
}

}  // namespace vl2
