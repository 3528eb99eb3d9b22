// SPDX-License-Identifier: MIT
#include "text/conversation_json.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& json) {
  try {
    parse_conversation(json, "", "c.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "(no error)";
}

TEST(ConversationJson, ReadsTurnsAndPictures) {
  const Conversation conversation = parse_conversation(
      R"([{"role": "system", "content": "s"},
          {"role": "<|User|>", "content": "<image>q", "images": ["a.png", "/b/c.png"]},
          {"role": "assistant", "content": "", "images": ["d.png"]}])",
      "dir", "c.json");
  ASSERT_EQ(conversation.turns.size(), 3u);
  EXPECT_EQ(conversation.turns[0].role, Role::system);
  EXPECT_EQ(conversation.turns[1].role, Role::user);
  EXPECT_EQ(conversation.turns[1].content, "<image>q");
  EXPECT_EQ(conversation.turns[2].role, Role::assistant);
  EXPECT_THAT(conversation.images, ElementsAre("dir/a.png", "/b/c.png", "dir/d.png"));
}

TEST(ConversationJson, FilesGiveTheFolder) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "vl2_conversation.json";
  std::ofstream(path) << R"([{"role": "user", "content": "", "images": ["a.png"]}])";
  EXPECT_THAT(load_conversation(path).images, ElementsAre(path.parent_path() / "a.png"));
  std::filesystem::remove(path);
  EXPECT_THROW(load_conversation(path), Error);
}

TEST(ConversationJson, ErrorsNameTheField) {
  EXPECT_THAT(error_of("{}"), HasSubstr("c.json must be an array"));
  EXPECT_THAT(error_of("[1"), HasSubstr("c.json: not valid JSON"));
  EXPECT_THAT(error_of(R"([{"content": ""}])"), HasSubstr("c.json: field [0].role is missing"));
  EXPECT_THAT(error_of(R"([{"role": "User", "content": ""}])"),
              HasSubstr("c.json: field [0].role: unknown role \"User\""));
  EXPECT_THAT(error_of(R"([{"role": "user"}])"), HasSubstr("field [0].content is missing"));
  EXPECT_THAT(error_of(R"([{"role": "user", "content": null}])"),
              HasSubstr("field [0].content must be a string"));
  EXPECT_THAT(error_of(R"([{"role": "user", "content": "", "images": null}])"),
              HasSubstr("field [0].images must be an array"));
  EXPECT_THAT(error_of(R"([{"role": "user", "content": "", "images": [1]}])"),
              HasSubstr("field [0].images[0] must be a string"));
}

}  // namespace
}  // namespace vl2
