// SPDX-License-Identifier: MIT
// Who computes what in the next step.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/sequence.h"
#include "model/step.h"

namespace vl2 {

struct StepLimits {
  std::size_t chunk_tokens = 2048;  // rows of a step
  // The same while other sequences generate: the shorter the step, the less they wait.
  std::size_t chunk_tokens_while_generating = 512;
};

// Tokens first .. first + count of a sequence.
struct PlannedSpan {
  Sequence* sequence = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;

  // The last token of the sequence is among them: its logits say what comes next.
  bool reaches_end() const noexcept { return first + count == sequence->ids().size(); }
};

// One token of every sequence that is generating, then chunks of prompts, first come first served,
// until the step is full. There is room for at least one token of a prompt.
std::vector<PlannedSpan> plan_step(std::span<Sequence* const> ready, const StepLimits& limits);

// Which row of logits belongs to which planned span is the order of batch.wanted: one for every
// span that reaches its end, or, with `all_logits`, one for every row. Pages must be there.
void fill_batch(std::span<const PlannedSpan> plan, bool all_logits, TokenBatch& batch);

}  // namespace vl2
