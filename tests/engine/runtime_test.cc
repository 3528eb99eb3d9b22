// SPDX-License-Identifier: MIT
// Several requests at once: order, caches, cancelling, failures.
#include "engine/runtime.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/changed_checkpoint.h"
#include "engine/models.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kContext = 2500;

const LoadedModel& small_model() {
  return test::model(test::golden_checkpoint("mha-softmax"), Recipe::bf16, kContext);
}

RuntimeOptions options_of() {
  RuntimeOptions options;
  options.isa = chosen_isa();
  options.team = ThreadTeam(1);
  return options;
}

Request text_request(std::size_t tokens, std::size_t max_tokens, std::int32_t first = 3) {
  Request request;
  for (std::size_t i = 0; i < tokens; ++i)
    request.prompt.ids.push_back(first + static_cast<std::int32_t>(i % 1000));
  request.options.max_tokens = max_tokens;
  return request;
}

Request picture_request(const std::string& image, const std::string& question) {
  Request request;
  const std::vector<Message> messages = {
      {Role::user, question, {load_image(test::golden_image(image))}}};
  request.prompt = prepare_prompt(small_model(), messages, PictureTags::place_missing);
  request.options.max_tokens = 2;
  return request;
}

// What happened to one request.
struct Story {
  std::vector<std::int32_t> tokens;
  std::string text;
  std::vector<std::size_t> tiles;   // done, as told
  std::vector<std::size_t> prompt;  // likewise
  std::optional<RequestFinished> finished;
  std::optional<Error> failed;
  std::size_t last_step = 0;
};

// A runtime and what it told.
class Theatre {
 public:
  explicit Theatre(const LoadedModel& model, RuntimeOptions options = options_of())
      : runtime(model.model, model.tokenizer, std::move(options)) {}

  void step() {
    ++steps_;
    for (const Event& event : runtime.step()) {
      Story& story = stories[event.request];
      EXPECT_FALSE(story.finished || story.failed) << "an event after the end";
      story.last_step = steps_;
      std::visit([&](const auto& what) { note(story, what); }, event.what);
    }
  }
  void run() {
    while (!runtime.idle()) step();
    EXPECT_EQ(runtime.available_pages(), runtime.page_count());
  }
  const Story& run(Request request) {
    const RequestId id = runtime.add(std::move(request));
    run();
    return stories[id];
  }

  Runtime runtime;
  std::map<RequestId, Story> stories;

 private:
  static void note(Story& story, const PictureProgress& p) { story.tiles.push_back(p.done); }
  static void note(Story& story, const PromptProgress& p) { story.prompt.push_back(p.done); }
  static void note(Story& story, const TokenChosen& chosen) {
    story.tokens.push_back(chosen.token);
    story.text += chosen.text;
  }
  static void note(Story& story, const RequestFinished& finished) {
    story.text += finished.text;
    story.finished = finished;
  }
  static void note(Story& story, const RequestFailed& failed) { story.failed = failed.error; }

  std::size_t steps_ = 0;
};

TEST(Runtime, PiecesOfTextMakeTheWholeText) {
  Theatre theatre(small_model());
  const Story& story = theatre.run(text_request(20, 60));
  EXPECT_EQ(story.tokens.size(), 60U);
  EXPECT_EQ(story.text, small_model().tokenizer->decode(story.tokens));
  EXPECT_EQ(story.finished->reason, FinishReason::length);
  EXPECT_EQ(story.finished->usage.completion_tokens, 60U);
}

TEST(Runtime, PromptsAreReadInChunksAndProgressIsTold) {
  RuntimeOptions options = options_of();
  options.limits.chunk_tokens = 40;
  Theatre theatre(small_model(), options);
  EXPECT_THAT(theatre.run(text_request(100, 1)).prompt, ::testing::ElementsAre(40, 80, 100));
}

TEST(Runtime, TheSecondQuestionAboutAPictureSparesItsTiles) {
  Theatre theatre(small_model());
  const Story& first = theatre.run(picture_request("rgb_333x222.bmp", "What is it?"));
  EXPECT_FALSE(first.tiles.empty());
  EXPECT_EQ(first.finished->usage.cached_tokens, 0U);
  const Story& second = theatre.run(picture_request("rgb_333x222.bmp", "What colour is it?"));
  EXPECT_TRUE(second.tiles.empty());
  EXPECT_GT(second.finished->usage.cached_tokens, 400U);
  const Story& other = theatre.run(picture_request("rgb_48x31.png", "What is it?"));
  EXPECT_FALSE(other.tiles.empty());
  EXPECT_EQ(other.finished->usage.cached_tokens, 0U);
}

TEST(Runtime, TilesComeInGroupsAndEqualOnesOnce) {
  RuntimeOptions options = options_of();
  options.tiles_at_once = 1;
  Theatre theatre(small_model(), options);
  // One local tile that equals the global view.
  EXPECT_THAT(theatre.run(picture_request("rgb_384x384.png", "?")).tiles,
              ::testing::ElementsAre(2));
  // The global view and eight others.
  const Story& wide = theatre.run(picture_request("wide_1536x400.png", "?"));
  EXPECT_THAT(wide.tiles, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Runtime, AnswersContinueFromPagesOfEarlierAnswers) {
  Theatre theatre(small_model());
  const Story& story = theatre.run(text_request(60, 60));
  ASSERT_GE(story.tokens.size(), 10U);
  Request second = text_request(60, 1);
  second.prompt.ids.insert(second.prompt.ids.end(), story.tokens.begin(), story.tokens.end());
  const std::size_t whole_pages = (second.prompt.ids.size() - 1) / kPageTokens * kPageTokens;
  EXPECT_EQ(theatre.run(second).finished->usage.cached_tokens, whole_pages);
}

TEST(Runtime, ACancelledRequestEndsAndTheOthersGoOn) {
  Theatre theatre(small_model());
  const Story alone = theatre.run(text_request(30, 20));
  const RequestId stopped = theatre.runtime.add(text_request(50, 500, 100));
  const RequestId other = theatre.runtime.add(text_request(30, 20));
  for (int i = 0; i < 5; ++i) theatre.step();
  theatre.runtime.cancel(stopped);
  theatre.run();
  EXPECT_EQ(theatre.stories[stopped].finished->reason, FinishReason::cancelled);
  EXPECT_EQ(theatre.stories[stopped].tokens.size(), 5U);
  EXPECT_EQ(theatre.stories[other].tokens, alone.tokens);
}

TEST(Runtime, CancellingWorksBetweenGroupsOfTilesAndWhileWaiting) {
  RuntimeOptions options = options_of();
  options.tiles_at_once = 1;
  options.max_sequences = 1;
  Theatre theatre(small_model(), options);
  const RequestId pictures = theatre.runtime.add(picture_request("wide_1536x400.png", "?"));
  const RequestId waiting = theatre.runtime.add(text_request(10, 10));
  theatre.step();
  EXPECT_EQ(theatre.runtime.waiting_count(), 1U);
  theatre.runtime.cancel(pictures);
  theatre.runtime.cancel(waiting);
  theatre.runtime.cancel(12345);
  theatre.step();
  EXPECT_TRUE(theatre.runtime.idle());
  for (const RequestId id : {pictures, waiting}) {
    EXPECT_EQ(theatre.stories[id].finished->reason, FinishReason::cancelled);
    EXPECT_TRUE(theatre.stories[id].tokens.empty());
  }
  theatre.runtime.cancel(pictures);  // long over
  EXPECT_TRUE(theatre.runtime.step().empty());
}

TEST(Runtime, RequestsWaitForRoomAndGetItInOrder) {
  RuntimeOptions options = options_of();
  options.cache_tokens = kContext;
  Theatre theatre(small_model(), options);
  const RequestId first = theatre.runtime.add(text_request(1200, 300, 1));
  const RequestId second = theatre.runtime.add(text_request(1100, 300, 2));
  const RequestId small = theatre.runtime.add(text_request(10, 10, 3));
  theatre.step();
  EXPECT_EQ(theatre.runtime.running_count(), 1U);
  EXPECT_EQ(theatre.runtime.waiting_count(), 2U);
  theatre.run();
  EXPECT_LT(theatre.stories[first].last_step, theatre.stories[second].last_step);
  EXPECT_TRUE(theatre.stories[small].finished.has_value());
}

TEST(Runtime, TheContextIsAnEndOfTheAnswer) {
  Theatre theatre(small_model());
  const Story& story = theatre.run(text_request(kContext - 10, 500));
  EXPECT_EQ(story.finished->reason, FinishReason::length);
  EXPECT_EQ(story.tokens.size(), 10U);
}

TEST(Runtime, RefusesRequestsThatCannotWork) {
  Theatre theatre(small_model());
  EXPECT_THROW(theatre.runtime.add(Request{}), Error);
  Request request = text_request(5, 5);
  request.prompt.ids[2] = 1344;
  EXPECT_THROW(theatre.runtime.add(request), Error);
  request.prompt.ids[2] = -1;
  EXPECT_THROW(theatre.runtime.add(request), Error);
  request = text_request(5, 5);
  request.options.top_p = 2.0;
  EXPECT_THROW(theatre.runtime.add(request), Error);
  EXPECT_THROW(theatre.runtime.add(text_request(kContext, 5)), Error);
  EXPECT_TRUE(theatre.runtime.idle());
}

TEST(Runtime, RefusesOptionsThatMakeNoSense) {
  const auto refuses = [](auto change) {
    RuntimeOptions options = options_of();
    change(options);
    EXPECT_THROW(Runtime(small_model().model, std::nullopt, options), Error);
  };
  refuses([](RuntimeOptions& options) { options.limits.chunk_tokens = 0; });
  refuses([](RuntimeOptions& options) { options.limits.chunk_tokens_while_generating = 0; });
  refuses([](RuntimeOptions& options) { options.max_sequences = 0; });
  refuses([](RuntimeOptions& options) { options.tiles_at_once = 0; });
  refuses([](RuntimeOptions& options) { options.cache_tokens = kContext - 1; });
}

TEST(Runtime, NumbersThatOverflowFailTheRequestAndLeaveNoTrace) {
  const test::ChangedCheckpoint changed("mha-softmax");
  changed.fill_tensor("language.model.layers.0.self_attn.v_proj.weight", 0x7f7f);  // 3.4e38
  const LoadedModel broken = load_model(changed.folder(), {});
  Theatre theatre(broken);
  for (int i = 0; i < 2; ++i) {
    const Story& story = theatre.run(text_request(70, 5));
    ASSERT_TRUE(story.failed.has_value());
    EXPECT_EQ(story.failed->code(), ErrorCode::bad_checkpoint);
    EXPECT_THAT(story.failed->what(), HasSubstr("logit"));
  }
  // Had the pages been kept, the second request would have found them.
  EXPECT_EQ(theatre.stories[2].prompt.front(), 70U);
}

TEST(Runtime, StopStringsEndTheAnswerWherePiecesMeet) {
  Theatre theatre(small_model());
  const Story free = theatre.run(text_request(20, 40));
  Request request = text_request(20, 40);
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  std::size_t at = free.text.size() / 3;
  while (!std::ranges::all_of(free.text.substr(at, 3), is_ascii)) ++at;
  request.options.stop = {free.text.substr(at, 3)};
  at = free.text.find(request.options.stop[0]);
  const Story& stopped = theatre.run(request);
  EXPECT_EQ(stopped.finished->reason, FinishReason::stop);
  EXPECT_EQ(stopped.text, free.text.substr(0, at));
  EXPECT_LT(stopped.tokens.size(), free.tokens.size());
}

}  // namespace
}  // namespace vl2
