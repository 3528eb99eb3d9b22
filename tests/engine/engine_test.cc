// SPDX-License-Identifier: MIT
// The public library, with the bundled model.
#include "vl2/engine.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/models.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;

Engine& engine() {
  static Engine shared({.model = test::nano(), .threads = 1});
  return shared;
}

Image demo_image(const std::string& name) { return load_image(test::nano() / "demo" / name); }

std::vector<Message> ask(const std::string& question, std::vector<Image> images = {}) {
  return {{Role::user, question, std::move(images)}};
}

const char* const kColour = "What color is the star?";

template <class F>
void expect_error(ErrorCode code, const std::string& part, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing thrown for " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(Engine, SaysWhatItIs) {
  const ModelInfo& info = engine().info();
  EXPECT_EQ(info.name, "vl2-nano");
  EXPECT_EQ(info.weights, "bf16");
  EXPECT_EQ(info.threads, 1);
  EXPECT_EQ(info.context_tokens, 4096U);
  EXPECT_GT(info.cache_bytes, 1'000'000U);
  EXPECT_FALSE(info.instruction_set.empty());
}

TEST(Engine, RefusesOptionsAndFoldersThatCannotWork) {
  expect_error(ErrorCode::not_found, "no/such", [] { Engine({.model = "/no/such/model"}); });
  expect_error(ErrorCode::invalid_argument, "bf17",
               [] { Engine({.model = test::nano(), .weights = "bf17"}); });
  expect_error(ErrorCode::invalid_argument, "threads is -1",
               [] { Engine({.model = test::nano(), .threads = -1}); });
  expect_error(ErrorCode::invalid_argument, "chunk_tokens",
               [] { Engine({.model = test::nano(), .chunk_tokens = 0}); });
  expect_error(ErrorCode::invalid_argument, "cache_tokens is 4000",
               [] { Engine({.model = test::nano(), .cache_tokens = 4000}); });
  expect_error(ErrorCode::cancelled, "stopped", [] {
    Engine({.model = test::nano(), .progress = [](const Progress&) { return false; }});
  });
}

TEST(Engine, CostIsWhatTheChatUses) {
  const auto messages = ask("What is the total?", {demo_image("receipt.png")});
  const PromptCost cost = engine().cost(messages);
  const Answer answer = engine().chat(messages, {.max_tokens = 1});
  EXPECT_EQ(cost.total(), answer.usage.prompt_tokens);
  EXPECT_EQ(cost.total(), answer.prompt_token_ids.size());
  ASSERT_EQ(cost.image_tokens.size(), 1U);
  EXPECT_EQ(cost.image_tokens[0], answer.usage.image_tokens);
  EXPECT_EQ(cost.context_tokens, 4096U);
}

TEST(Engine, StreamsTheTextAndTellsProgress) {
  std::string streamed;
  std::vector<Stage> stages;
  ChatCallbacks callbacks;
  callbacks.text = [&](std::string_view piece) {
    streamed += piece;
    return true;
  };
  callbacks.progress = [&](const Progress& progress) {
    stages.push_back(progress.stage);
    EXPECT_LE(progress.done, progress.total);
    return true;
  };
  Engine fresh({.model = test::nano(), .threads = 1});
  const Answer answer = fresh.chat(
      ask("<|grounding|>Describe the image.", {demo_image("shapes.png")}), {}, callbacks);
  EXPECT_EQ(streamed, answer.text);
  EXPECT_EQ(answer.finish_reason, FinishReason::stop);
  EXPECT_THAT(stages, ::testing::ElementsAre(Stage::pictures, Stage::prompt));
  EXPECT_GT(answer.timings.vision, 0.0);
  EXPECT_GT(answer.timings.prefill, 0.0);
  EXPECT_GT(answer.timings.decode, 0.0);
}

TEST(Engine, KeepsTheMarkupAndFindsTheBoxes) {
  const Image image = demo_image("shapes_boxes.png");
  const Answer answer =
      engine().chat(ask("<|grounding|>Describe the image.", {demo_image("sign.png"), image}));
  EXPECT_THAT(answer.text, HasSubstr("<|ref|>"));
  ASSERT_FALSE(answer.boxes.empty());
  EXPECT_EQ(answer.boxes[0].image, 1U);
  EXPECT_FALSE(answer.boxes[0].label.empty());
  EXPECT_LE(answer.boxes[0].x2, image.width);
  EXPECT_LT(answer.boxes[0].x1, answer.boxes[0].x2);
}

TEST(Engine, ACallbackStopsTheAnswer) {
  ChatCallbacks callbacks;
  std::size_t calls = 0;
  callbacks.text = [&](std::string_view) { return ++calls < 3; };
  const auto messages = ask("<|grounding|>Describe the image.", {demo_image("shapes.png")});
  const Answer answer = engine().chat(messages, {}, callbacks);
  EXPECT_EQ(answer.finish_reason, FinishReason::cancelled);
  EXPECT_EQ(calls, 3U);
  EXPECT_FALSE(answer.text.empty());
  EXPECT_EQ(engine().chat(messages).finish_reason, FinishReason::stop);
}

TEST(Engine, ACallbackStopsThePictures) {
  Engine fresh({.model = test::nano(), .threads = 1});
  ChatCallbacks callbacks;
  callbacks.progress = [](const Progress& progress) { return progress.stage != Stage::pictures; };
  const Answer answer = fresh.chat(ask(kColour, {demo_image("wide.png")}), {}, callbacks);
  EXPECT_EQ(answer.finish_reason, FinishReason::cancelled);
  EXPECT_TRUE(answer.token_ids.empty());
}

TEST(Engine, SurvivesACallbackThatThrows) {
  ChatCallbacks callbacks;
  callbacks.text = [](std::string_view) -> bool { throw std::runtime_error("mine"); };
  const auto messages = ask(kColour, {demo_image("shapes.png")});
  EXPECT_THROW(engine().chat(messages, {}, callbacks), std::runtime_error);
  EXPECT_EQ(engine().chat(messages).finish_reason, FinishReason::stop);
}

TEST(Engine, TheSameSeedGivesTheSameAnswer) {
  const auto messages = ask("Describe the image.", {demo_image("shapes.png")});
  GenerationOptions options{.max_tokens = 30, .temperature = 2.0, .top_k = 0, .seed = 5};
  const Answer one = engine().chat(messages, options);
  const Answer same = engine().chat(messages, options);
  EXPECT_EQ(one.token_ids, same.token_ids);
  options.seed = 6;
  EXPECT_NE(one.token_ids, engine().chat(messages, options).token_ids);
}

TEST(Engine, ReportsLogProbabilities) {
  const Answer answer = engine().chat(ask(kColour, {demo_image("shapes.png")}), {.logprobs = 3});
  ASSERT_EQ(answer.logprobs.size(), answer.token_ids.size());
  for (std::size_t i = 0; i < answer.logprobs.size(); ++i) {
    const TokenReport& report = answer.logprobs[i];
    ASSERT_EQ(report.top.size(), 3U);
    EXPECT_EQ(report.chosen.token, answer.token_ids[i]);
    EXPECT_EQ(report.top[0].token, report.chosen.token);  // temperature 0
    EXPECT_EQ(report.top[0].logprob, report.chosen.logprob);
    EXPECT_LE(report.top[1].logprob, report.top[0].logprob);
    EXPECT_LE(report.chosen.logprob, 0.0F);
  }
}

TEST(Engine, ContinuesAnAnswerThatIsBegun) {
  auto messages = ask(kColour, {demo_image("shapes.png")});
  const Answer whole = engine().chat(messages);
  ASSERT_GE(whole.text.size(), 2U);
  messages.push_back({Role::assistant, whole.text, {}});
  const Answer rest = engine().chat(messages);
  EXPECT_EQ(rest.text, "");
  EXPECT_EQ(rest.finish_reason, FinishReason::stop);
}

TEST(Engine, RemembersEarlierTurns) {
  auto messages = ask("How many shapes are there?", {demo_image("shapes.png")});
  const Answer first = engine().chat(messages);
  messages.push_back({Role::assistant, first.text, {}});
  messages.push_back({Role::user, kColour, {}});
  const Answer second = engine().chat(messages);
  EXPECT_GT(second.usage.cached_tokens, 288U);
  EXPECT_EQ(second.usage.image_tokens, 313U);
}

TEST(Engine, APromptThatIsTooLongSaysWhatItTakes) {
  Engine narrow({.model = test::nano(), .threads = 1, .context_tokens = 320});
  const auto messages = ask(kColour, {demo_image("shapes.png")});
  EXPECT_GT(narrow.cost(messages).total(), 320U);
  expect_error(ErrorCode::too_long, "313 of pictures", [&] { narrow.chat(messages); });
  EXPECT_EQ(narrow.chat(ask("Hello"), {.max_tokens = 1}).token_ids.size(), 1U);
}

TEST(Engine, RefusesConversationsThatCannotBeSaid) {
  const auto refused = [](std::vector<Message> messages, PictureTags tags) {
    expect_error(ErrorCode::invalid_argument, "", [&] { engine().chat(messages, {}, {}, tags); });
    expect_error(ErrorCode::invalid_argument, "", [&] { (void)engine().cost(messages, tags); });
  };
  refused({}, PictureTags::place_missing);
  refused({{Role::assistant, "", {demo_image("sign.png")}}}, PictureTags::place_missing);
  refused(ask("<image>\n<image>\nTwo?", {demo_image("sign.png")}), PictureTags::strict);
  refused({{Role::user, "a", {}}, {Role::system, "b", {}}}, PictureTags::strict);
  expect_error(ErrorCode::invalid_argument, "top_p",
               [] { engine().chat(ask("Hello"), {.top_p = -1.0}); });
}

TEST(Engine, APictureTooThinIsAnError) {
  const Image thin{2000, 1, std::vector<std::uint8_t>(6000)};
  expect_error(ErrorCode::bad_image, "", [&] { engine().chat(ask("What?", {thin})); });
}

TEST(Engine, CanBeMoved) {
  Engine one({.model = test::nano(), .threads = 1});
  Engine other = std::move(one);
  EXPECT_EQ(other.chat(ask("Hello"), {.max_tokens = 2}).token_ids.size(), 2U);
}

}  // namespace
}  // namespace vl2
