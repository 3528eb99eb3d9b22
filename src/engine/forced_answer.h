// SPDX-License-Identifier: MIT
// Answers taken along given tokens (teacher forcing): what would the model have said at each place?
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/prompt_input.h"
#include "engine/runtime.h"

namespace vl2 {

// Told the logits [vocab_size] that token `index` of the answer is chosen from. What it throws ends
// the answer, if it is an Error.
using AnswerObserver = std::function<void(std::size_t index, std::span<const float> logits)>;

struct AnswerCourse {
  // The tokens of the answer, whatever the model would choose; nothing: its own choice, the most
  // probable token each time.
  std::optional<std::vector<std::int32_t>> tokens;
  std::size_t max_tokens = 512;  // of the model's own choice
};

// Takes the answer to `prompt` along its course and returns its tokens: with the end-of-sentence
// token if it came, nothing behind it. The logits are those of an answer that was not forced: the
// same bits. The runtime must be idle. Throws Error{invalid_argument} for tokens the model does not
// know, Error{too_long} with the numbers when prompt and answer do not fit the context, and what
// goes wrong on the way.
std::vector<std::int32_t> take_answer(Runtime& runtime, PromptInput prompt,
                                      const AnswerCourse& course, const AnswerObserver& observer);

}  // namespace vl2
