// SPDX-License-Identifier: MIT
// Constraints over the vocabulary of the bundled model.
#include "server/constraints.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "text/grounding.h"

namespace vl2 {
namespace {

constexpr float kOut = -std::numeric_limits<float>::infinity();

const Tokenizer& nano() {
  static const Tokenizer tokenizer = Tokenizer::load(VL2_MODELS "/vl2-nano");
  return tokenizer;
}

std::vector<std::int32_t> allowed(TokenConstraint& constraint) {
  std::vector<float> logits(static_cast<std::size_t>(nano().vocabulary_size()), 0.0F);
  constraint.mask(logits);
  std::vector<std::int32_t> ids;
  for (std::size_t id = 0; id < logits.size(); ++id)
    if (logits[id] != kOut) ids.push_back(static_cast<std::int32_t>(id));
  return ids;
}

// A text of tokens drawn among those allowed, until `last` or so many tokens.
std::string draw_text(TokenConstraint& constraint, std::uint64_t seed, std::int32_t last,
                      std::size_t most) {
  std::string text;
  for (std::uint64_t i = 0; i < most; ++i) {
    const std::vector<std::int32_t> ids = allowed(constraint);
    if (ids.empty()) {
      ADD_FAILURE() << "nothing is allowed after " << text;
      break;
    }
    const auto drawn =
        static_cast<std::size_t>(random_unit(seed, i) * static_cast<double>(ids.size()));
    constraint.accept(ids[drawn]);
    if (ids[drawn] == last) return text;
    text += nano().bytes(ids[drawn]);
  }
  return text + "(unfinished)";
}

bool reads(std::string_view text) {
  BoxReader reader;
  for (const char c : text)
    if (!reader.push(c)) return false;
  return reader.complete();
}

TEST(BoxReader, ReadsListsOfBoxes) {
  for (const char* good : {"[[0, 0, 0, 0]]", "[[10, 20, 999, 999]]", "[[1, 2, 3, 4], [5, 6, 7, 8]]",
                           "[[100, 5, 100, 5]]"})
    EXPECT_TRUE(reads(good)) << good;
  for (const char* bad :
       {"", "[]", "[[]]", "[[1, 2, 3]]", "[[1, 2, 3, 4]", "[[1,2,3,4]]", "[[01, 2, 3, 4]]",
        "[[1, 2, 3, 1000]]", "[[5, 2, 4, 4]]", "[[1, 9, 4, 8]]", "[[1, 2, 3, 4]]]",
        "[[1, 2, 3, 4],[5, 6, 7, 8]]", "[[-1, 2, 3, 4]]", "[[1, 2, 3, 4, 5]]", " [[1, 2, 3, 4]]"})
    EXPECT_FALSE(reads(bad)) << bad;
}

TEST(BoxReader, EveryBeginningItTakesCanBeFinished) {
  // 95 as x1 leaves 95 to 99 and 950 to 999 of the two-digit beginnings: 95, 96 but not 1.
  BoxReader reader;
  for (const char c : std::string_view("[[95, 0, ")) ASSERT_TRUE(reader.push(c));
  for (const auto& [digit, fits] :
       std::vector<std::pair<char, bool>>{{'0', false}, {'1', true}, {'9', true}}) {
    BoxReader next = reader;
    EXPECT_EQ(next.push(digit), fits) << digit;
  }
  for (const char c : std::string_view("94")) ASSERT_TRUE(reader.push(c));
  EXPECT_FALSE(BoxReader(reader).push(','));  // 94 itself is below 95
  EXPECT_TRUE(BoxReader(reader).push('0'));
}

TEST(BoxConstraint, DrawnListsAreWellFormed) {
  const Constraints constraints(nano());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto constraint = constraints.boxes({});
    constraint->accept(nano().det_id());
    const std::string text = draw_text(*constraint, seed, nano().det_end_id(), 5000);
    EXPECT_TRUE(reads(text)) << text;
    const auto boxes = parse_grounding("<|ref|>a<|/ref|><|det|>" + text + "<|/det|>");
    EXPECT_FALSE(boxes.empty()) << text;
  }
}

TEST(BoxConstraint, LetsEverythingThroughElsewhere) {
  const Constraints constraints(nano());
  const auto constraint = constraints.boxes({});
  const auto all = static_cast<std::size_t>(nano().vocabulary_size());
  EXPECT_EQ(allowed(*constraint).size(), all);
  constraint->accept(nano().det_id());
  EXPECT_LT(allowed(*constraint).size(), all);
  constraint->accept(nano().det_end_id());
  EXPECT_EQ(allowed(*constraint).size(), all);
}

TEST(BoxConstraint, GoesOnWithAListThatThePromptBegan) {
  const Constraints constraints(nano());
  std::vector<std::int32_t> prompt = {nano().det_id(), nano().assistant_id(), nano().det_id()};
  for (const std::int32_t id : nano().encode("[[1, 2, 3, 4]]")) prompt.push_back(id);
  EXPECT_THAT(allowed(*constraints.boxes(prompt)), ::testing::ElementsAre(nano().det_end_id()));
  // What a user wrote is not the model's.
  prompt.push_back(nano().assistant_id());
  EXPECT_GT(allowed(*constraints.boxes(prompt)).size(), 1U);
}

TEST(GrammarConstraint, DrawnObjectsFollowTheirSchema) {
  Constraints constraints(nano());
  ResponseFormat format;
  format.type = ResponseFormat::Type::json_schema;
  format.schema = RequestJson::parse(R"({"type":"object","properties":{
    "color":{"enum":["red","green"]},"count":{"type":"integer","minimum":0,"maximum":20},
    "name":{"type":"string","maxLength":5},"box":{"type":"array","items":{"type":"boolean"},
    "minItems":2,"maxItems":3}},"required":["color","count","name","box"],
    "additionalProperties":false})");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    GrammarConstraint constraint(constraints.grammar(format));
    const std::string text = draw_text(constraint, seed, nano().eos_id(), 400);
    const RequestJson json = RequestJson::parse(text, nullptr, false);
    ASSERT_TRUE(json.is_object()) << text;
    EXPECT_EQ(json.size(), 4U) << text;
    EXPECT_THAT(json["color"], ::testing::AnyOf("red", "green"));
    EXPECT_LE(json["count"].get<int>(), 20);
    EXPECT_GE(json["box"].size(), 2U);
  }
}

TEST(GrammarConstraint, OnlyTheEndMayFollowAWholeObject) {
  Constraints constraints(nano());
  ResponseFormat format;
  format.type = ResponseFormat::Type::json_object;
  GrammarConstraint constraint(constraints.grammar(format));
  for (const char c : std::string_view("{}")) constraint.accept(*nano().id_of({&c, 1}));
  EXPECT_THAT(allowed(constraint), ::testing::ElementsAre(nano().eos_id()));
}

TEST(Constraints, KeepTheGrammarsUsedLast) {
  Constraints constraints(nano());
  ResponseFormat format;
  format.type = ResponseFormat::Type::json_schema;
  format.schema = RequestJson::parse(R"({"type":"integer"})");
  const auto first = constraints.grammar(format);
  EXPECT_EQ(constraints.grammar(format), first);
  for (int i = 0; i < 20; ++i) {
    ResponseFormat other = format;
    other.schema = RequestJson{{"const", i}};
    constraints.grammar(other);
  }
  EXPECT_NE(constraints.grammar(format), first);
}

}  // namespace
}  // namespace vl2
