// SPDX-License-Identifier: MIT
#include "text/chat_template.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

#include "text/goldens.h"
#include "text/tiny_tokenizer.h"

namespace vl2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Message user(const std::string& text, std::size_t pictures) {
  return {Role::user, text, std::vector<Image>(pictures)};
}

std::string placed(const std::string& text, std::size_t pictures) {
  Message message = user(text, pictures);
  place_missing_image_tags(message);
  return message.content;
}

std::string refusal(const std::vector<Turn>& turns, const std::vector<std::size_t>& pictures = {}) {
  try {
    build_prompt(testing::tiny_tokenizer(), turns, pictures);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "(no error)";
}

TEST(ChatTemplate, MissingTagsComeFirstOneALine) {
  EXPECT_EQ(placed("What?", 1), "<image>\nWhat?");
  EXPECT_EQ(placed("What?", 2), "<image>\n<image>\nWhat?");
  EXPECT_EQ(placed("a <image> b", 2), "<image>\na <image> b");
  EXPECT_EQ(placed("", 1), "<image>\n");
  EXPECT_EQ(placed("a <image>", 1), "a <image>");
}

TEST(ChatTemplate, SurplusTagsGoFromTheLeft) {
  EXPECT_EQ(placed("1<image>2<image>3", 1), "12<image>3");
  EXPECT_EQ(placed("<image><image>", 0), "");
}

TEST(ChatTemplate, ArrangesMessages) {
  std::vector<Message> messages;
  messages.push_back({Role::system, "Be brief.", {}});
  messages.push_back(user("What?", 1));
  messages.push_back({Role::assistant, "A cat.", {}});
  messages.push_back({Role::system, "Be kind.", {}});
  messages.push_back(user("And <image>?", 0));
  const std::vector<Message> arranged = arrange_messages(std::move(messages));
  const std::vector<Turn> turns = turns_of(arranged);
  ASSERT_EQ(turns.size(), 5u);
  EXPECT_EQ(turns[0].role, Role::system);
  EXPECT_EQ(turns[0].content, "Be brief.\nBe kind.");
  EXPECT_EQ(turns[1].content, "<image>\nWhat?");
  EXPECT_EQ(arranged[1].images.size(), 1u);
  EXPECT_EQ(turns[2].content, "A cat.");
  EXPECT_EQ(turns[3].content, "And ?");
  EXPECT_EQ(turns[4].role, Role::assistant);
  EXPECT_EQ(turns[4].content, "");
}

TEST(ChatTemplate, AnUnfinishedAnswerStaysLast) {
  const std::vector<Message> arranged = arrange_messages({{Role::assistant, "It is", {}}});
  ASSERT_EQ(arranged.size(), 1u);
  EXPECT_EQ(arranged[0].content, "It is");
}

TEST(ChatTemplate, OnlyUsersHavePictures) {
  EXPECT_THROW(arrange_messages({{Role::assistant, "", std::vector<Image>(1)}}), Error);
  EXPECT_THROW(arrange_messages({{Role::system, "", std::vector<Image>(1)}}), Error);
}

TEST(ChatTemplate, PicturesFillTheirPlaces) {
  const Tokenizer tokenizer = testing::tiny_tokenizer();
  const std::vector<Turn> turns = {{Role::system, "a <image>"},
                                   {Role::user, "b<image>c"},
                                   {Role::assistant, "d"},
                                   {Role::user, "<image>"},
                                   {Role::assistant, ""}};
  const std::vector<std::size_t> counts = {2, 3, 7};  // the third one stays unused
  const Prompt prompt = build_prompt(tokenizer, turns, counts);
  ASSERT_EQ(prompt.pictures.size(), 2u);
  ASSERT_EQ(prompt.is_image.size(), prompt.ids.size());
  std::vector<std::uint8_t> expected(prompt.ids.size(), 0);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(prompt.pictures[i].picture, i);
    EXPECT_EQ(prompt.pictures[i].count, counts[i]);
    for (std::size_t k = 0; k < counts[i]; ++k) {
      expected.at(prompt.pictures[i].first + k) = 1;
      EXPECT_EQ(prompt.ids[prompt.pictures[i].first + k], tokenizer.image_id());
    }
  }
  EXPECT_EQ(prompt.is_image, expected);  // the system text's tag is no picture
}

TEST(ChatTemplate, RefusalsSayWhy) {
  EXPECT_THAT(refusal({}), HasSubstr("empty"));
  EXPECT_THAT(refusal({{Role::user, "a"}}), HasSubstr("last message must be the assistant's"));
  EXPECT_THAT(refusal({{Role::user, "a"}, {Role::system, "b"}, {Role::assistant, ""}}),
              HasSubstr("message 2 is a system text"));
  EXPECT_THAT(refusal({{Role::user, "<image><image>"}, {Role::assistant, ""}}, {1}),
              HasSubstr("message 1 has 2 <image> tags, but only 1 pictures are left"));
  EXPECT_THAT(refusal({{Role::user, "a"}, {Role::assistant, "<image>"}}, {1}),
              HasSubstr("message 2 is an answer"));
}

TEST(ChatTemplate, RawPromptsNeedAsManyPicturesAsTags) {
  const Tokenizer tokenizer = testing::tiny_tokenizer();
  EXPECT_THROW(build_raw_prompt(tokenizer, "<image>", {}), Error);
  const std::vector<std::size_t> one = {1};
  EXPECT_THROW(build_raw_prompt(tokenizer, "a", one), Error);
  EXPECT_THAT(build_raw_prompt(tokenizer, "a<image>", one).ids,
              ElementsAre(testing::kBos, 'a', tokenizer.image_id()));
  EXPECT_THAT(build_raw_prompt(tokenizer, "", {}).pictures, IsEmpty());
}

TEST(ChatTemplate, FewPicturesAreTiled) {
  EXPECT_TRUE(tiling_is_on(0));
  EXPECT_TRUE(tiling_is_on(2));
  EXPECT_FALSE(tiling_is_on(3));
}

TEST(ChatTemplate, BundledModelsPrompts) {
  const std::filesystem::path folder = std::filesystem::path(VL2_MODELS) / "vl2-nano";
  const Tokenizer tokenizer = Tokenizer::load(folder);
  std::ifstream lines(folder / "eval" / "eval.jsonl");
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const nlohmann::json sample = nlohmann::json::parse(line);
    const std::vector<Turn> turns = {{Role::user, sample.at("prompt")}, {Role::assistant, ""}};
    // Pictures of no tokens leave the prompt's text.
    const std::vector<std::size_t> pictures(sample.at("images").size(), 0);
    EXPECT_EQ(build_prompt(tokenizer, turns, pictures).ids,
              testing::ids_of(sample.at("prompt_text_ids")));
  }
  EXPECT_EQ(cases, 87);
}

}  // namespace
}  // namespace vl2
