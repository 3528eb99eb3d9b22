// SPDX-License-Identifier: MIT
#include "engine/prompt_input.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vl2 {
namespace {

using ::testing::HasSubstr;

std::string refusal(const PromptCost& cost) {
  try {
    check_length(cost);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_long);
    return error.what();
  }
  return "";
}

TEST(CheckLength, LeavesRoomForOneTokenOfTheAnswer) {
  EXPECT_EQ(refusal({99, {}, 100}), "");
  EXPECT_EQ(refusal({100, {}, 100}),
            "the prompt takes 100 tokens and the context holds 100, one of them for the answer; "
            "shorten the text to 99 tokens, or ask for a context of at least 101");
}

TEST(CheckLength, SaysWhatThePicturesTake) {
  const std::string text = refusal({30, {421, 615}, 1050});
  EXPECT_THAT(text, HasSubstr("1066 tokens (30 of text, 421 + 615 of pictures)"));
  EXPECT_THAT(text, HasSubstr("shorten the text to 13 tokens"));
  EXPECT_THAT(refusal({30, {421, 615}, 1037}), HasSubstr("the pictures alone do not fit"));
}

}  // namespace
}  // namespace vl2
