// SPDX-License-Identifier: MIT
#include "server/completion_request.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

using Tokens = std::vector<std::int32_t>;

CompletionRequest parse(const std::string& body) { return parse_completion_request(body, {}); }

TEST(CompletionRequest, TakesTextsAndTokens) {
  EXPECT_EQ(parse(R"({"prompt":"a"})").prompts, (std::vector<RawPrompt>{"a"}));
  EXPECT_EQ(parse(R"({"prompt":["a","b"]})").prompts, (std::vector<RawPrompt>{"a", "b"}));
  EXPECT_EQ(parse(R"({"prompt":[1,2]})").prompts, (std::vector<RawPrompt>{Tokens{1, 2}}));
  EXPECT_EQ(parse(R"({"prompt":[[1],[2]]})").prompts,
            (std::vector<RawPrompt>{Tokens{1}, Tokens{2}}));
}

TEST(CompletionRequest, LogprobsAreANumber) {
  const CompletionRequest request = parse(R"({"prompt":"a","logprobs":3})");
  EXPECT_TRUE(request.generation.report_logprobs);
  EXPECT_EQ(request.generation.options.logprobs, 3U);
}

TEST(CompletionRequest, NamesThePartAtFault) {
  const std::pair<const char*, const char*> all[] = {
      {R"({})", "prompt"},
      {R"({"prompt":[]})", "prompt"},
      {R"({"prompt":7})", "prompt"},
      {R"({"prompt":[-1]})", "prompt[0]"},
      {R"({"prompt":["a",{}]})", "prompt[1]"},
      {R"({"prompt":"a","echo":true})", "echo"},
      {R"({"prompt":"a","suffix":"b"})", "suffix"},
      {R"({"prompt":"a","logprobs":99})", "logprobs"},
  };
  for (const auto& [body, param] : all)
    EXPECT_EQ(refusal_of([&] { parse(body); }).param, param) << body;
  EXPECT_NO_THROW(parse(R"({"prompt":"a","echo":false,"suffix":null,"best_of":1})"));
}

}  // namespace
}  // namespace vl2
