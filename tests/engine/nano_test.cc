// SPDX-License-Identifier: MIT
// The bundled model's answers, token for token, against those of the fp32 reference.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "vl2/engine.h"

#include "engine/models.h"

namespace vl2 {
namespace {

// In fp32 the logits differ by about 1e-5, less than any margin of these cases: all must be equal.
// Activations rounded to bf16 move logits by some hundredths; the cases that come out differently
// had margins of 0.006 at most when this was written.
struct Mode {
  const char* weights;
  double noise;  // the reference's choices with a smaller margin may come out differently
};

class NanoAnswers : public ::testing::TestWithParam<Mode> {};

TEST_P(NanoAnswers, EqualTheReferences) {
  const Mode mode = GetParam();
  Engine engine({.model = test::nano(), .weights = mode.weights, .threads = 1});
  for (const char* set : {"demo", "eval"}) {
    for (const test::NanoCase& c : test::nano_cases(set)) {
      const Answer answer = engine.chat(c.messages, {.max_tokens = c.output_ids.size() + 1});
      std::vector<std::int32_t> ids = answer.token_ids;
      const bool ended = answer.finish_reason == FinishReason::stop;
      if (ended) ids.pop_back();
      if (ended && ids == c.output_ids) {
        EXPECT_EQ(answer.text, c.output) << c.name;
      } else {
        std::cout << mode.weights << ": " << c.name << " differs, margin " << c.min_margin << ": \""
                  << answer.text << "\" for \"" << c.output << "\"\n";
        EXPECT_LT(c.min_margin, mode.noise) << c.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, NanoAnswers, ::testing::Values(Mode{"f32", 1e-4}, Mode{"bf16", 0.05}),
                         [](const auto& mode) { return std::string(mode.param.weights); });

}  // namespace
}  // namespace vl2
