// SPDX-License-Identifier: MIT
// Whole conversations with the golden checkpoints, from messages to tokens, against the original.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "vl2/engine.h"

#include "engine/models.h"
#include "text/chat_template.h"

namespace vl2 {
namespace {

using Ids = std::vector<std::int32_t>;

nlohmann::json golden(const std::string& path) {
  return nlohmann::json::parse(read_text_file(VL2_TEST_DATA "/goldens/" + path));
}

std::vector<Message> messages_of(const nlohmann::json& conversation) {
  std::vector<Message> messages;
  for (const auto& turn : conversation.at("conversation")) {
    Message message{role_of_name(turn.at("role").get<std::string>()), turn.at("content"), {}};
    for (const std::string name : turn.value("images", nlohmann::json::array()))
      message.images.push_back(load_image(test::golden_image(name)));
    messages.push_back(std::move(message));
  }
  return messages;
}

class GoldenConversations : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    engine_.emplace(EngineOptions{
        .model = test::golden_checkpoint(GetParam()), .weights = "f32", .threads = 1});
    const std::string folder = std::string("models/") + GetParam();
    for (const auto& file : std::filesystem::directory_iterator(VL2_TEST_DATA "/goldens/" + folder))
      if (file.path().extension() == ".json") names_.push_back(file.path().stem());
    ASSERT_GE(names_.size(), 6U);
  }

  nlohmann::json run(const std::string& name) const {
    return golden(std::string("models/") + GetParam() + "/" + name + ".json");
  }
  static nlohmann::json conversation(const std::string& name) {
    return golden("conversations/" + name + ".json");
  }
  Ids answer(const std::string& name, const Ids& expected, GenerationOptions options) {
    options.max_tokens = expected.size();
    return engine_->chat(messages_of(conversation(name)), options, {}, PictureTags::strict)
        .token_ids;
  }

  std::optional<Engine> engine_;
  std::vector<std::string> names_;
};

TEST_P(GoldenConversations, PromptsAndAnswersEqualTheOriginals) {
  for (const std::string& name : names_) {
    SCOPED_TRACE(name);
    const auto expected = run(name);
    const auto ids = expected.at("greedy_ids").get<Ids>();
    const Answer answer = engine_->chat(messages_of(conversation(name)), {.max_tokens = ids.size()},
                                        {}, PictureTags::strict);
    EXPECT_EQ(answer.prompt_token_ids,
              conversation(name).at("per_checkpoint").at(GetParam()).at("input_ids").get<Ids>());
    EXPECT_EQ(answer.token_ids, ids);
    EXPECT_EQ(answer.usage.prompt_tokens, expected.at("num_tokens").get<std::size_t>());
    const bool ended = expected.at("stopped_at_eos").get<bool>();
    EXPECT_EQ(answer.finish_reason, ended ? FinishReason::stop : FinishReason::length);
    std::string text = expected.at("greedy_text").get<std::string>();
    if (ended) text.erase(text.rfind("<"));  // the end token, which is no part of our text
    EXPECT_EQ(answer.text, text);
  }
}

TEST_P(GoldenConversations, PenaltiesOverPromptOrAnswerEqualTheOriginals) {
  for (const std::string& name : names_) {
    SCOPED_TRACE(name);
    const auto expected = run(name).at("repetition_penalty_1.1");
    const auto all = expected.at("over_prompt_and_new_ids").at("greedy_ids").get<Ids>();
    EXPECT_EQ(answer(name, all, {.repetition_penalty = 1.1}), all);
    const auto own = expected.at("over_new_ids").at("greedy_ids").get<Ids>();
    EXPECT_EQ(answer(name, own, {.repetition_penalty = 1.1, .penalize_prompt = false}), own);
  }
}

INSTANTIATE_TEST_SUITE_P(, GoldenConversations, ::testing::ValuesIn(test::kGoldenCheckpoints),
                         [](const auto& checkpoint) {
                           std::string name = checkpoint.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace vl2
