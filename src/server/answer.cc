// SPDX-License-Identifier: MIT
#include "server/answer.h"

#include <algorithm>
#include <utility>

namespace vl2 {

GrowingAnswer::Addition GrowingAnswer::add(AnswerEvent event, const Tokenizer& tokenizer) {
  Addition addition;
  if (auto* chosen = std::get_if<TokenChosen>(&event.what)) {
    addition.text = std::move(chosen->text);
    if (chosen->report && chosen->token != tokenizer.eos_id()) {
      addition.report = chosen->report;
      reports_.push_back(*std::move(chosen->report));
    }
  } else if (auto* finished = std::get_if<RequestFinished>(&event.what)) {
    addition.text = std::move(finished->text);
    finished_ = true;
    finish_reason_ = finished->reason;
    usage_ = finished->usage;
    timings_ = finished->timings;
  }
  text_ += addition.text;
  return addition;
}

Usage total_usage(std::span<const GrowingAnswer> answers) {
  Usage total;
  for (const GrowingAnswer& answer : answers) {
    const Usage& usage = answer.usage();
    total.prompt_tokens = std::max(total.prompt_tokens, usage.prompt_tokens);
    total.image_tokens = std::max(total.image_tokens, usage.image_tokens);
    total.completion_tokens += usage.completion_tokens;
  }
  if (!answers.empty()) total.cached_tokens = answers.front().usage().cached_tokens;
  return total;
}

Timings total_timings(std::span<const GrowingAnswer> answers) {
  Timings total;
  for (const GrowingAnswer& answer : answers) {
    total.vision += answer.timings().vision;
    total.prefill = std::max(total.prefill, answer.timings().prefill);
    total.decode = std::max(total.decode, answer.timings().decode);
  }
  return total;
}

}  // namespace vl2
