// SPDX-License-Identifier: MIT
#include "server/generation_fields.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

GenerationFields parse(const std::string& body, const GenerationOptions& defaults = {}) {
  RequestJson json = parse_request_json(body);
  return parse_generation_fields(RequestField(json), defaults);
}

TEST(GenerationFields, WhatIsLeftOpenIsTheServers) {
  const GenerationFields fields =
      parse(R"({"temperature":null})", {.temperature = 0.4, .top_k = 7, .top_p = 0.9});
  EXPECT_EQ(fields.options.temperature, 0.4);
  EXPECT_EQ(fields.options.top_k, 7);
  EXPECT_EQ(fields.options.top_p, 0.9);
  EXPECT_EQ(fields.options.max_tokens, std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(fields.choices, 1U);
  EXPECT_FALSE(fields.seed.has_value());
  EXPECT_FALSE(fields.stream);
  EXPECT_TRUE(fields.constrain_boxes);
}

TEST(GenerationFields, TakesAllOfThem) {
  const GenerationFields fields = parse(
      R"({"max_tokens":5,"temperature":0.5,"top_p":0.25,"top_k":3,"min_p":0.125,"seed":-1,)"
      R"("stop":["a","b"],"n":2,"logit_bias":{"17":-100,"3":1.5},"presence_penalty":1,)"
      R"("frequency_penalty":-1,"repetition_penalty":1.5,"no_repeat_ngram_size":3,"max_tiles":2,)"
      R"("stream":true,"stream_options":{"include_usage":true},"constrain_boxes":false})");
  EXPECT_EQ(fields.options.max_tokens, 5U);
  EXPECT_EQ(fields.options.temperature, 0.5);
  EXPECT_EQ(fields.options.top_p, 0.25);
  EXPECT_EQ(fields.options.top_k, 3);
  EXPECT_EQ(fields.options.min_p, 0.125);
  EXPECT_EQ(fields.seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_THAT(fields.options.stop, ElementsAre("a", "b"));
  EXPECT_EQ(fields.choices, 2U);
  EXPECT_THAT(fields.logit_bias, ElementsAre(Pair(17, -100.0F), Pair(3, 1.5F)));
  EXPECT_EQ(fields.presence_penalty, 1.0);
  EXPECT_EQ(fields.frequency_penalty, -1.0);
  EXPECT_EQ(fields.options.repetition_penalty, 1.5);
  EXPECT_EQ(fields.options.no_repeat_ngram_size, 3);
  EXPECT_EQ(fields.max_tiles, 2);
  EXPECT_TRUE(fields.stream && fields.include_usage && !fields.constrain_boxes);
}

TEST(GenerationFields, TheNewerNameOfMaxTokensWins) {
  EXPECT_EQ(parse(R"({"max_tokens":5,"max_completion_tokens":6})").options.max_tokens, 6U);
  EXPECT_EQ(parse(R"({"max_tokens":1000000000000})").options.max_tokens, 1'000'000'000'000U);
}

TEST(GenerationFields, AlmostZeroTemperatureIsZero) {
  EXPECT_EQ(parse(R"({"temperature":1e-9})").options.temperature, 0.0);
}

TEST(GenerationFields, RefusesWithTheFieldsName) {
  const std::pair<const char*, const char*> all[] = {
      {R"({"max_tokens":0})", "max_tokens"},
      {R"({"max_completion_tokens":-1})", "max_completion_tokens"},
      {R"({"temperature":-0.1})", "temperature"},
      {R"({"temperature":"hot"})", "temperature"},
      {R"({"top_p":1.5})", "top_p"},
      {R"({"top_k":-2})", "top_k"},
      {R"({"min_p":2})", "min_p"},
      {R"({"n":0})", "n"},
      {R"({"n":1000})", "n"},
      {R"({"seed":1.5})", "seed"},
      {R"({"stop":[""]})", "stop[0]"},
      {R"({"stop":[1]})", "stop[0]"},
      {R"({"logit_bias":{"cat":1}})", "logit_bias"},
      {R"({"logit_bias":{"5":101}})", "logit_bias.5"},
      {R"({"presence_penalty":3})", "presence_penalty"},
      {R"({"frequency_penalty":-3})", "frequency_penalty"},
      {R"({"repetition_penalty":0})", "repetition_penalty"},
      {R"({"no_repeat_ngram_size":-1})", "no_repeat_ngram_size"},
      {R"({"stream_options":{"include_usage":true}})", "stream_options"},
      {R"({"stream":1})", "stream"},
      {R"({"max_tiles":0})", "max_tiles"},
  };
  for (const auto& [body, param] : all) {
    const auto details = refusal_of([&] { parse(body); });
    EXPECT_EQ(details.status, 400) << body;
    EXPECT_EQ(details.param, param) << body;
  }
}

}  // namespace
}  // namespace vl2
