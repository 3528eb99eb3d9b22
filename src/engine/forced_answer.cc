// SPDX-License-Identifier: MIT
#include "engine/forced_answer.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

// Sees all logits before the choice, and leaves one token to choose if there is a course.
class Course : public TokenConstraint {
 public:
  Course(const AnswerCourse& course, const AnswerObserver& observer)
      : course_(course), observer_(observer) {}

  void mask(std::span<float> logits) override {
    observer_(index_, logits);
    if (!course_.tokens) return;
    const auto wanted = static_cast<std::size_t>((*course_.tokens)[index_]);
    std::ranges::fill(logits, -std::numeric_limits<float>::infinity());
    logits[wanted] = 0.0F;
  }

  void accept(std::int32_t) override { ++index_; }

 private:
  const AnswerCourse& course_;
  const AnswerObserver& observer_;
  std::size_t index_ = 0;
};

void check_course(const Runtime& runtime, const PromptInput& prompt,
                  const std::vector<std::int32_t>& tokens) {
  for (const std::int32_t token : tokens) {
    if (token >= 0 && token < runtime.vocabulary()) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the answer has token {}, the model knows 0 to {}", token,
                            runtime.vocabulary() - 1));
  }
  const std::size_t needed = prompt.ids.size() + tokens.size();
  if (needed > runtime.context_tokens()) {
    throw Error(ErrorCode::too_long,
                fmt::format("the prompt of {} tokens and the answer of {} do not fit the context "
                            "of {}; take a larger one",
                            prompt.ids.size(), tokens.size(), runtime.context_tokens()));
  }
}

}  // namespace

std::vector<std::int32_t> take_answer(Runtime& runtime, PromptInput prompt,
                                      const AnswerCourse& course, const AnswerObserver& observer) {
  if (course.tokens) {
    check_course(runtime, prompt, *course.tokens);
    if (course.tokens->empty()) return {};
  }
  Request request;
  request.prompt = std::move(prompt);
  request.options.max_tokens = course.tokens ? course.tokens->size() : course.max_tokens;
  request.steering.constraint = std::make_shared<Course>(course, observer);
  runtime.add(std::move(request));

  std::vector<std::int32_t> tokens;
  while (!runtime.idle()) {
    for (const Event& event : runtime.step()) {
      if (const auto* chosen = std::get_if<TokenChosen>(&event.what))
        tokens.push_back(chosen->token);
      if (const auto* failed = std::get_if<RequestFailed>(&event.what)) throw Error(failed->error);
    }
  }
  return tokens;
}

}  // namespace vl2
