// SPDX-License-Identifier: MIT
// The forward pass in bytes, held against what the forward pass took.
#include "model/activation_size.h"

#include <numeric>
#include <ostream>

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "model/golden_case.h"
#include "model/sequence_runner.h"

namespace vl2 {
namespace {

constexpr std::size_t kTokens = 3000;

struct Parameter {
  std::string checkpoint;
  Recipe recipe;
};

void PrintTo(const Parameter& parameter, std::ostream* out) {
  *out << parameter.checkpoint << " " << to_string(parameter.recipe);
}

class ActivationSize : public testing::TestWithParam<Parameter> {
 protected:
  ActivationSize()
      : test_(golden_path("checkpoints/" + GetParam().checkpoint), GetParam().recipe,
              cpu_isas().back()) {}

  StepSize step() const {
    return {.threads = static_cast<std::size_t>(test_.team.size()),
            .operand = operand_of(GetParam().recipe)};
  }

  // What attention works in is bounded for any model, and takes less in these small ones.
  void expect_predicted(const StepSize& step, const SequenceRunner& runner) const {
    const auto taken = static_cast<double>(runner.activation_bytes());
    const auto predicted = static_cast<double>(activation_bytes(test_.config, step));
    const auto room = static_cast<double>(step.threads << 20);
    EXPECT_GE(predicted, taken);
    EXPECT_LE(predicted, 1.1 * taken + room);
  }

  TestModel test_;
};

TEST_P(ActivationSize, OfADecoderStep) {
  std::vector<std::int32_t> tokens(kTokens);
  for (std::size_t i = 0; i < kTokens; ++i)
    tokens[i] = static_cast<std::int32_t>(
        i * 37 % static_cast<std::size_t>(test_.config.language.vocab_size));
  SequenceRunner runner(test_, kTokens);
  runner.run(tokens);
  StepSize size = step();
  size.tokens = kTokens;
  size.wanted_rows = 1;
  expect_predicted(size, runner);
}

TEST_P(ActivationSize, OfTilesInTheVisionTower) {
  const int side = test_.config.processor.image_size();
  Image image{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * side * side))};
  std::iota(image.rgb.begin(), image.rgb.end(), std::uint8_t{0});
  SequenceRunner runner(test_, kTokens);
  runner.encode(image, true);
  StepSize size = step();
  size.tiles = 2;  // the tile and the whole picture
  expect_predicted(size, runner);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, ActivationSize,
                         testing::Values(Parameter{"mha-softmax", Recipe::bf16},
                                         Parameter{"mla-general", Recipe::bf16},
                                         Parameter{"mla-general", Recipe::f32}));

}  // namespace
}  // namespace vl2
