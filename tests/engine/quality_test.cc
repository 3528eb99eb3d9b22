// SPDX-License-Identifier: MIT
// What fewer bits cost on models/vl2-nano, led along the recorded answers of demo and eval.
// docs/quality.md has the figures; `vl2 compare` measures them the same way.
#include <iostream>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "engine/divergence.h"
#include "engine/forced_answer.h"
#include "engine/models.h"

namespace vl2 {
namespace {

struct Course {
  PromptInput prompt;
  std::vector<std::int32_t> answer;
  std::vector<std::vector<float>> logits;  // [token][vocab_size], of bf16 weights
};

Runtime runtime_of(const LoadedModel& loaded) {
  RuntimeOptions options;
  options.isa = chosen_isa();
  return Runtime(loaded.model, loaded.tokenizer, std::move(options));
}

const std::vector<Course>& courses() {
  static const std::vector<Course> all = [] {
    const LoadedModel& loaded = test::model(test::nano(), Recipe::bf16);
    Runtime runtime = runtime_of(loaded);
    std::vector<Course> found;
    for (const char* set : {"demo", "eval"}) {
      for (const test::NanoCase& c : test::nano_cases(set)) {
        Course course{
            prepare_prompt(loaded, c.messages, PictureTags::place_missing), c.output_ids, {}};
        course.answer.push_back(loaded.tokenizer->eos_id());
        take_answer(runtime, course.prompt, {course.answer, 0},
                    [&](std::size_t, std::span<const float> logits) {
                      course.logits.emplace_back(logits.begin(), logits.end());
                    });
        found.push_back(std::move(course));
      }
    }
    return found;
  }();
  return all;
}

DivergenceSummary against_bf16(Recipe recipe) {
  const LoadedModel loaded = load_model(test::nano(), {.recipe = recipe});
  Runtime runtime = runtime_of(loaded);
  std::vector<Divergence> all;
  for (const Course& course : courses()) {
    take_answer(runtime, course.prompt, {course.answer, 0},
                [&](std::size_t i, std::span<const float> logits) {
                  all.push_back(divergence(course.logits[i], logits));
                });
  }
  const DivergenceSummary summary = summarize(all);
  std::cout << to_string(recipe) << ": the same choice at " << summary.same_choices << " of "
            << summary.tokens << " tokens, KL divergence " << summary.mean << ", 99 % below "
            << summary.percentile_99 << ", largest " << summary.largest << "\n";
  return summary;
}

TEST(Quality, Int4ChoosesTheSameTokenInNinetySevenOfAHundred) {
  const DivergenceSummary summary = against_bf16(Recipe::int4);
  EXPECT_GT(summary.tokens, 1000U);
  EXPECT_GE(summary.agreement(), 0.97);
  EXPECT_LT(summary.mean, 7e-4);
}

TEST(Quality, Int8DivergesFarLess) {
  const DivergenceSummary summary = against_bf16(Recipe::int8);
  EXPECT_GT(summary.tokens, 1000U);
  EXPECT_LT(summary.mean, 1.6e-4);
  EXPECT_LT(summary.percentile_99, 3e-3);
}

}  // namespace
}  // namespace vl2
