// SPDX-License-Identifier: MIT
#include "engine/sampler.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/mapped_file.h"
#include "engine/generation_options.h"

namespace vl2 {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr float kOut = -std::numeric_limits<float>::infinity();

std::vector<float> floats(const json& values) {
  std::vector<float> out;
  for (const json& value : values) out.push_back(value.is_null() ? kOut : value.get<float>());
  return out;
}

GenerationOptions options_of(const json& options) {
  GenerationOptions out;
  out.repetition_penalty = options.value("repetition_penalty", 1.0);
  out.no_repeat_ngram_size = options.value("no_repeat_ngram_size", 0);
  out.temperature = options.value("temperature", 1.0);
  out.top_k = options.value("top_k", 0);
  out.top_p = options.value("top_p", 1.0);
  return out;
}

void apply(const std::string& step, const json& options, std::span<float> logits,
           std::span<const std::int32_t> ids) {
  if (step == "repetition_penalty")
    penalize_repetition(logits, ids, options.at(step).get<double>());
  else if (step == "no_repeat_ngram_size")
    ban_repeated_ngrams(logits, ids, options.at(step).get<std::size_t>());
  else if (step == "temperature")
    apply_temperature(logits, options.at(step).get<double>());
  else if (step == "top_k")
    keep_top_k(logits, options.at(step).get<std::size_t>());
  else if (step == "top_p")
    keep_top_p(logits, options.at(step).get<double>());
  else
    FAIL() << "unknown step " << step;
}

json golden_cases() {
  return json::parse(read_text_file(VL2_TEST_DATA "/goldens/sampling.json")).at("cases");
}

TEST(Sampler, StepsEqualTheOriginals) {
  for (const json& c : golden_cases()) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    std::vector<float> logits = floats(c.at("logits"));
    const auto ids = c.at("input_ids").get<std::vector<std::int32_t>>();
    for (const json& step : c.at("steps")) {
      SCOPED_TRACE(step.at("after").get<std::string>());
      apply(step.at("after").get<std::string>(), c.at("options"), logits, ids);
      const std::vector<float> expected = floats(step.at("logits"));
      ASSERT_EQ(logits.size(), expected.size());
      for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_EQ(logits[i], expected[i]) << i;
    }
  }
}

TEST(Sampler, ProbabilitiesAndBestTokenEqualTheOriginals) {
  for (const json& c : golden_cases()) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto ids = c.at("input_ids").get<std::vector<std::int32_t>>();
    const std::vector<float> logits = floats(c.at("logits"));
    Sampler sampler(options_of(c.at("options")));
    const auto scores = sampler.processed(logits, ids);
    std::vector<float> probabilities(scores.size());
    softmax(scores, probabilities);
    const std::vector<float> expected = floats(c.at("probabilities"));
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(probabilities[i], expected[i], 2e-7F) << i;
    EXPECT_EQ(largest(scores), c.at("argmax").get<std::int32_t>());
  }
}

TEST(Sampler, WithoutTemperatureTheBestTokenWinsAndTiesGoToTheLowerId) {
  GenerationOptions options;
  Sampler sampler(options);
  EXPECT_EQ(sampler.sample(std::vector<float>{0.5F, 2.0F, 2.0F, 1.0F}, {}, 7), 1);
}

TEST(Sampler, PenaltiesCountWithoutTemperatureToo) {
  GenerationOptions options;
  options.repetition_penalty = 2.0;
  const std::vector<std::int32_t> ids = {1};
  Sampler sampler(options);
  EXPECT_EQ(sampler.sample(std::vector<float>{0.5F, 2.0F, 1.5F}, ids, 1), 2);
}

TEST(Sampler, DrawsDependOnSeedAndPositionAlone) {
  GenerationOptions options;
  options.temperature = 1.0;
  const std::vector<float> logits(100, 1.0F);
  Sampler one(options);
  Sampler other(options);
  for (std::size_t i = 0; i < 50; ++i) one.sample(logits, {}, i);  // as if it had been used before
  options.seed = 1;
  Sampler seeded(options);
  std::size_t different = 0;
  for (std::size_t position = 0; position < 50; ++position) {
    const std::int32_t token = one.sample(logits, {}, position);
    EXPECT_EQ(token, other.sample(logits, {}, position));
    different += token != seeded.sample(logits, {}, position) ? 1 : 0;
  }
  EXPECT_GT(different, 40U);
}

TEST(Sampler, FrequenciesFollowTheProbabilities) {
  GenerationOptions options;
  options.temperature = 1.0;
  options.top_k = 3;
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.15F),
                                     std::log(0.05F)};
  Sampler sampler(options);
  std::map<std::int32_t, double> counts;
  constexpr std::size_t kDraws = 20000;
  for (std::size_t position = 0; position < kDraws; ++position)
    counts[sampler.sample(logits, {}, position)] += 1.0 / kDraws;
  // Four standard deviations of a binomial count.
  EXPECT_NEAR(counts[0], 0.5 / 0.95, 0.015);
  EXPECT_NEAR(counts[1], 0.3 / 0.95, 0.014);
  EXPECT_NEAR(counts[2], 0.15 / 0.95, 0.011);
  EXPECT_EQ(counts[3], 0.0);
}

TEST(Sampler, MinPKeepsWhatIsProbableEnoughBesideTheBest) {
  std::vector<float> logits = {std::log(0.6F), std::log(0.29F), std::log(0.05F), std::log(0.06F)};
  keep_min_p(logits, 0.1);  // 0.06 of 0.6
  EXPECT_NE(logits[1], kOut);
  EXPECT_EQ(logits[2], kOut);
  EXPECT_NE(logits[0], kOut);
}

TEST(Sampler, RefusesLogitsThatAreNotFinite) {
  Sampler sampler({});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  try {
    sampler.sample(std::vector<float>{0.0F, nan}, {}, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_checkpoint);
    EXPECT_THAT(error.what(), HasSubstr("token 1"));
  }
}

TEST(Sampler, ABanThatLeavesNothingIsAnError) {
  GenerationOptions options;
  options.no_repeat_ngram_size = 1;
  Sampler sampler(options);
  const std::vector<std::int32_t> ids = {0, 1};
  EXPECT_THROW(sampler.sample(std::vector<float>{0.0F, 1.0F}, ids, 2), Error);
}

// Lets through what its turn says, and remembers what was chosen.
class Turns : public TokenConstraint {
 public:
  explicit Turns(std::vector<std::int32_t> turns) : turns_(std::move(turns)) {}
  void mask(std::span<float> logits) override {
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (static_cast<std::int32_t>(i) != turns_.at(accepted.size())) logits[i] = kOut;
  }
  void accept(std::int32_t token) override { accepted.push_back(token); }

  std::vector<std::int32_t> accepted;

 private:
  std::vector<std::int32_t> turns_;
};

TEST(Steering, BiasIsAddedToTheLogits) {
  Steering steering;
  steering.logit_bias = {{0, 2.5F}, {2, -1.0F}};
  Sampler sampler({}, steering);
  const auto scores = sampler.processed(std::vector<float>{1.0F, 2.0F, 3.0F}, {});
  EXPECT_THAT(scores, ::testing::ElementsAre(3.5F, 2.0F, 2.0F));
}

TEST(Steering, PenaltiesCountTheAnswersTokens) {
  Steering steering;
  steering.presence_penalty = 1.0;
  steering.frequency_penalty = 0.5;
  Sampler sampler({}, steering);
  for (const std::int32_t token : {1, 1, 2}) sampler.accept(token);
  const auto scores = sampler.processed(std::vector<float>{4.0F, 4.0F, 4.0F}, {});
  EXPECT_THAT(scores, ::testing::ElementsAre(4.0F, 2.0F, 2.5F));
}

TEST(Steering, ConstraintDecidesAndHearsWhatWasChosen) {
  Steering steering;
  const auto turns = std::make_shared<Turns>(std::vector<std::int32_t>{2, 0});
  steering.constraint = turns;
  Sampler sampler({}, steering);
  const std::vector<float> logits = {1.0F, 9.0F, 1.0F};
  for (std::size_t position = 0; position < 2; ++position)
    sampler.accept(sampler.sample(logits, {}, position));
  EXPECT_THAT(turns->accepted, ::testing::ElementsAre(2, 0));
}

TEST(Steering, ConstraintGoesBeforeTheNgramBan) {
  GenerationOptions options;
  options.no_repeat_ngram_size = 1;
  Steering steering;
  steering.constraint = std::make_shared<Turns>(std::vector<std::int32_t>{1});
  Sampler sampler(options, steering);
  const std::vector<std::int32_t> ids = {1};
  EXPECT_EQ(sampler.sample(std::vector<float>{2.0F, 1.0F}, ids, 1), 1);
}

TEST(LogProbabilities, AreThoseOfTheRawSoftmax) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.6F), std::log(0.15F),
                                     std::log(0.15F)};
  const LogProbabilities report = log_probabilities(logits, 0, 3);
  EXPECT_NEAR(report.chosen, std::log(0.1), 1e-6);
  ASSERT_EQ(report.top.size(), 3U);
  EXPECT_EQ(report.top[0].first, 1);
  EXPECT_NEAR(report.top[0].second, std::log(0.6), 1e-6);
  EXPECT_EQ(report.top[1].first, 2);  // before its equal
  EXPECT_EQ(report.top[2].first, 3);
}

TEST(LogProbabilities, ManyMoreThanThereAreGivesAll) {
  EXPECT_EQ(log_probabilities(std::vector<float>{1.0F, 2.0F}, 0, 99).top.size(), 2U);
}

struct BadOption {
  const char* name;
  void (*set)(GenerationOptions&);
};

TEST(GenerationOptions, RefusesValuesOutOfRangeAndNamesTheOption) {
  const BadOption bad[] = {
      {"max_tokens", [](GenerationOptions& o) { o.max_tokens = 0; }},
      {"temperature", [](GenerationOptions& o) { o.temperature = -0.1; }},
      {"temperature", [](GenerationOptions& o) { o.temperature = 1e-9; }},
      {"temperature", [](GenerationOptions& o) { o.temperature = std::nan(""); }},
      {"top_k", [](GenerationOptions& o) { o.top_k = -1; }},
      {"top_p", [](GenerationOptions& o) { o.top_p = 1.1; }},
      {"top_p", [](GenerationOptions& o) { o.top_p = std::nan(""); }},
      {"min_p", [](GenerationOptions& o) { o.min_p = -0.5; }},
      {"repetition_penalty", [](GenerationOptions& o) { o.repetition_penalty = 0.0; }},
      {"no_repeat_ngram_size", [](GenerationOptions& o) { o.no_repeat_ngram_size = -2; }},
      {"logprobs", [](GenerationOptions& o) { o.logprobs = 101; }},
      {"stop string", [](GenerationOptions& o) { o.stop = {""}; }},
      {"stop string", [](GenerationOptions& o) { o.stop = {"\xff"}; }},
  };
  for (const BadOption& option : bad) {
    GenerationOptions options;
    option.set(options);
    try {
      check_options(options);
      ADD_FAILURE() << option.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_THAT(error.what(), HasSubstr(option.name));
    }
  }
  EXPECT_NO_THROW(check_options({}));
}

}  // namespace
}  // namespace vl2
