// SPDX-License-Identifier: MIT
// One answer as it grows from the engine's events.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/event_queue.h"
#include "server/grounded_answer.h"

namespace vl2 {

class GrowingAnswer {
 public:
  // What an event added.
  struct Addition {
    std::string text;
    std::optional<TokenReport> report;  // of a token that is no end-of-sentence token
  };
  Addition add(AnswerEvent event, const Tokenizer& tokenizer);

  const std::string& text() const noexcept { return text_; }
  std::span<const TokenReport> reports() const noexcept { return reports_; }
  bool finished() const noexcept { return finished_; }
  FinishReason finish_reason() const noexcept { return finish_reason_; }
  const Usage& usage() const noexcept { return usage_; }
  const Timings& timings() const noexcept { return timings_; }

 private:
  std::string text_;
  std::vector<TokenReport> reports_;  // without the end-of-sentence token
  bool finished_ = false;
  FinishReason finish_reason_ = FinishReason::stop;
  Usage usage_;
  Timings timings_;
};

// Of all answers to one prompt together.
Usage total_usage(std::span<const GrowingAnswer> answers);
Timings total_timings(std::span<const GrowingAnswer> answers);

}  // namespace vl2
