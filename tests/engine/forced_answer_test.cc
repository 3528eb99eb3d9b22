// SPDX-License-Identifier: MIT
// Answers along given tokens: the same logits as without force, and clear refusals.
#include "engine/forced_answer.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

#include "base/cpu.h"
#include "engine/models.h"

namespace vl2 {
namespace {

using Ids = std::vector<std::int32_t>;

const LoadedModel& nano() { return test::model(test::nano(), Recipe::bf16); }

class ForcedAnswer : public ::testing::Test {
 protected:
  static RuntimeOptions options() {
    RuntimeOptions options;
    options.isa = chosen_isa();
    return options;
  }
  static PromptInput prompt() {
    const test::NanoCase c = test::nano_cases("demo").at(0);
    return prepare_prompt(nano(), c.messages, PictureTags::place_missing);
  }
  Ids take(const AnswerCourse& course) {
    seen_.clear();
    return take_answer(runtime_, prompt(), course,
                       [&](std::size_t index, std::span<const float> logits) {
                         EXPECT_EQ(index, seen_.size());
                         seen_.emplace_back(logits.begin(), logits.end());
                       });
  }

  Runtime runtime_{nano().model, nano().tokenizer, options()};
  std::vector<std::vector<float>> seen_;  // [token][vocab_size]
};

TEST_F(ForcedAnswer, AlongTheModelsOwnChoiceAllLogitsAreTheSame) {
  const Ids own = take({});
  ASSERT_GE(own.size(), 2U);
  EXPECT_EQ(own.back(), nano().tokenizer->eos_id());
  const auto free = seen_;
  EXPECT_EQ(free.size(), own.size());
  EXPECT_EQ(take({own, 0}), own);
  EXPECT_EQ(seen_, free);
}

TEST_F(ForcedAnswer, TokensTheModelWouldNotChooseAreTakenAllTheSame) {
  const Ids own = take({});
  const auto free = seen_;
  const Ids other = {own[0] + 1, own[0], nano().tokenizer->eos_id()};
  EXPECT_EQ(take({other, 0}), other);
  ASSERT_EQ(seen_.size(), 3U);
  EXPECT_EQ(seen_[0], free[0]);
  EXPECT_NE(seen_[1], free[1]);
}

TEST_F(ForcedAnswer, NothingComesBehindTheEnd) {
  const std::int32_t end = nano().tokenizer->eos_id();
  EXPECT_EQ(take({Ids{5, end, 6}, 0}), (Ids{5, end}));
  EXPECT_EQ(take({Ids{}, 0}), Ids{});
  EXPECT_EQ(seen_.size(), 0U);
  EXPECT_EQ(take({{}, 1}).size(), 1U);
}

TEST_F(ForcedAnswer, WhatDoesNotFitIsRefused) {
  for (const std::int32_t bad : {-1, runtime_.vocabulary()}) {
    try {
      take({Ids{bad}, 0});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(bad)));
    }
  }
  try {
    take({Ids(runtime_.context_tokens(), 5), 0});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_long);
  }
  EXPECT_TRUE(runtime_.idle());
}

TEST_F(ForcedAnswer, AnObserverMayStopIt) {
  const auto stop = [](std::size_t, std::span<const float>) {
    throw Error(ErrorCode::cancelled, "enough");
  };
  try {
    take_answer(runtime_, prompt(), {}, stop);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
  EXPECT_TRUE(runtime_.idle());
  EXPECT_FALSE(take({}).empty());
}

}  // namespace
}  // namespace vl2
