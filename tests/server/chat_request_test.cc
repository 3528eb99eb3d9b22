// SPDX-License-Identifier: MIT
#include "server/chat_request.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

ChatRequest parse(const std::string& body) { return parse_chat_request(body, {}); }

ChatMessage parse_user(const std::string& content) {
  return parse(R"({"messages":[{"role":"user","content":)" + content + "}]}").messages.at(0);
}

constexpr const char* kImage =
    R"({"type":"image_url","image_url":{"url":"data:x","detail":"low"}})";

TEST(ChatRequest, TakesTextsAndLists) {
  EXPECT_EQ(parse_user(R"("Hello")").text, "Hello");
  EXPECT_EQ(parse_user(R"([{"type":"text","text":"Hello"}])").text, "Hello");
  EXPECT_EQ(parse_user(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])").text, "a\nb");
}

TEST(ChatRequest, KnowsTheRoles) {
  const ChatRequest request =
      parse(R"({"messages":[{"role":"system","content":"s"},{"role":"developer","content":"d"},)"
            R"({"role":"user","content":"u"},{"role":"assistant","content":null}]})");
  EXPECT_EQ(request.messages[0].role, Role::system);
  EXPECT_EQ(request.messages[1].role, Role::system);
  EXPECT_EQ(request.messages[2].role, Role::user);
  EXPECT_EQ(request.messages[3].role, Role::assistant);
  EXPECT_EQ(request.messages[3].text, "");
}

TEST(ChatRequest, PicturesAroundTheTextHaveNoPlaceInIt) {
  const std::string text = R"({"type":"text","text":"What?"})";
  for (const std::string& content :
       {"[" + std::string(kImage) + "," + text + "]", "[" + text + "," + kImage + "]"}) {
    const ChatMessage message = parse_user(content);
    EXPECT_EQ(message.text, "What?");
    ASSERT_EQ(message.pictures.size(), 1U);
    EXPECT_EQ(message.pictures[0].url, "data:x");
  }
}

TEST(ChatRequest, PicturesMayBeSizesAlone) {
  const ChatMessage message =
      parse_user(R"([{"type":"image_url","image_url":{"width":640,"height":480}}])");
  ASSERT_EQ(message.pictures.size(), 1U);
  EXPECT_EQ(message.pictures[0].width, 640);
  EXPECT_EQ(message.pictures[0].height, 480);
  for (const char* bad : {R"({"width":640})", R"({"width":0,"height":1})",
                          R"({"width":100001,"height":1})", R"({"width":"a","height":1})"}) {
    const ApiError::Details refusal = refusal_of(
        [&] { parse_user(R"([{"type":"image_url","image_url":)" + std::string(bad) + "}]"); });
    EXPECT_EQ(refusal.status, 400) << bad;
    EXPECT_THAT(refusal.param, ::testing::HasSubstr("messages[0].content[0].image_url")) << bad;
  }
}

TEST(ChatRequest, PicturesBetweenTextsKeepTheirPlaces) {
  const std::string image = kImage;
  const ChatMessage message = parse_user(R"([{"type":"text","text":"This is image_1:"},)" + image +
                                         R"(,{"type":"text","text":"This is image_2:"},)" + image +
                                         R"(,{"type":"text","text":"Which has more stars?"}])");
  EXPECT_EQ(message.text,
            "This is image_1: <image>\nThis is image_2: <image>\nWhich has more stars?");
  EXPECT_EQ(message.pictures.size(), 2U);
}

TEST(ChatRequest, PlacesInTheTextAreLeftAlone) {
  const std::string image = kImage;
  const ChatMessage message = parse_user(R"([{"type":"text","text":"<image> a"},)" + image +
                                         R"(,{"type":"text","text":"b"}])");
  EXPECT_EQ(message.text, "<image> ab");
}

TEST(ChatRequest, TakesUrlsAsStringsAndNamesTheirPlace) {
  const ChatMessage message = parse_user(R"([{"type":"image_url","image_url":"data:y"}])");
  EXPECT_EQ(message.pictures.at(0).url, "data:y");
  EXPECT_EQ(message.pictures.at(0).param, "messages[0].content[0].image_url");
}

struct Refused {
  const char* body;
  const char* param;
};

TEST(ChatRequest, NamesThePartAtFault) {
  const Refused all[] = {
      {R"({})", "messages"},
      {R"({"messages":[]})", "messages"},
      {R"({"messages":"hello"})", "messages"},
      {R"({"messages":[{"content":"a"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"tool","content":"a"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"user"}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":7}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":[{"type":"audio"}]}]})",
       "messages[0].content[0].type"},
      {R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})",
       "messages[0].content[0].text"},
      {R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})",
       "messages[0].content[0].image_url.url"},
      {R"({"messages":[{"role":"system","content":[{"type":"image_url","image_url":"data:"}]}]})",
       "messages[0].content[0]"},
      {R"({"messages":[{"role":"user","content":"a"}],"top_logprobs":3})", "top_logprobs"},
      {R"({"messages":[{"role":"user","content":"a"}],"logprobs":true,"top_logprobs":21})",
       "top_logprobs"},
      {R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"xml"}})",
       "response_format.type"},
      {R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema"}})",
       "response_format.json_schema"},
      {R"({"messages":[{"role":"user","content":"a"}],"model":3})", "model"},
  };
  for (const Refused& one : all) {
    const auto details = refusal_of([&] { parse(one.body); });
    EXPECT_EQ(details.status, 400) << one.body;
    EXPECT_EQ(details.param, one.param) << one.body;
  }
}

TEST(ChatRequest, IgnoresWhatItDoesNotKnow) {
  EXPECT_NO_THROW(parse(R"({"messages":[{"role":"user","content":"a","name":"Ann"}],"user":"u",)"
                        R"("tools":[],"parallel_tool_calls":true,"metadata":{"a":[1]}})"));
}

}  // namespace
}  // namespace vl2
