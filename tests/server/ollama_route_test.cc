// SPDX-License-Identifier: MIT
// What Ollama's clients send and see.
#include "server/ollama_route.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live_server.h"

namespace vl2 {
namespace {

using test::LiveServer;
using test::Reply;
using ::testing::HasSubstr;

// One server for all tests: they ask, and change nothing.
class OllamaRoute : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new LiveServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static std::vector<Reply> lines(const std::string& path, const Reply& body) {
    std::istringstream text(server_->post_text(path, body));
    std::vector<Reply> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(Reply::parse(line));
    return lines;
  }

  static LiveServer* server_;
};

LiveServer* OllamaRoute::server_ = nullptr;

Reply chat(const std::string& picture, const std::string& text, Reply more = Reply::object()) {
  Reply message = {{"role", "user"}, {"content", text}};
  message["images"] = Reply::array({test::picture_base64(picture)});
  more["model"] = "vl2-nano";
  more["messages"] = Reply::array({std::move(message)});
  return more;
}

TEST_F(OllamaRoute, ChatAnswersAboutAPicture) {
  const Reply reply = server_->post(
      "/api/chat", chat("receipt.png", "How many items are there?", {{"stream", false}}));
  EXPECT_EQ(reply["model"], "vl2-nano");
  EXPECT_EQ(reply["message"]["role"], "assistant");
  EXPECT_EQ(reply["message"]["content"], "5");
  EXPECT_EQ(reply["done"], true);
  EXPECT_EQ(reply["done_reason"], "stop");
  EXPECT_GT(reply["prompt_eval_count"], 100);
  EXPECT_EQ(reply["eval_count"], 2);
  EXPECT_GT(reply["total_duration"], 0);
  EXPECT_GE(reply["total_duration"], reply["eval_duration"]);
  EXPECT_THAT(reply["created_at"].get<std::string>(),
              ::testing::MatchesRegex("20..-..-..T..:..:..\\.......Z"));
}

TEST_F(OllamaRoute, StreamsLinesByDefault) {
  const Reply body = chat("bar_chart.png", "What is the title?");
  const std::vector<Reply> all = lines("/api/chat", body);
  ASSERT_GE(all.size(), 2U);
  std::string text;
  for (const Reply& line : all) {
    text += line["message"]["content"].get<std::string>();
    EXPECT_EQ(line["done"].get<bool>(), line == all.back());
  }
  EXPECT_EQ(text, "RAIN");
  EXPECT_EQ(all.back()["done_reason"], "stop");
  EXPECT_EQ(all.back()["message"]["content"], "");
}

TEST_F(OllamaRoute, GenerateSaysWhatChatSays) {
  const Reply body = {{"model", "vl2-nano:latest"},
                      {"prompt", "What is the title?"},
                      {"images", {test::picture_base64("bar_chart.png")}},
                      {"stream", false}};
  const Reply reply = server_->post("/api/generate", body);
  EXPECT_EQ(reply["model"], "vl2-nano:latest");
  EXPECT_EQ(reply["response"], "RAIN");
  EXPECT_TRUE(reply["done"]);
  const std::vector<Reply> all = lines("/api/generate", [&] {
    Reply streamed = body;
    streamed["stream"] = true;
    return streamed;
  }());
  std::string text;
  for (const Reply& line : all) text += line["response"].get<std::string>();
  EXPECT_EQ(text, "RAIN");
}

TEST_F(OllamaRoute, RawPromptsGoOnAsCompletionsDo) {
  const Reply reply = server_->post(
      "/api/generate",
      {{"prompt", "One"}, {"raw", true}, {"stream", false}, {"options", {{"num_predict", 4}}}});
  const Reply completion = server_->post("/v1/completions", {{"prompt", "One"}, {"max_tokens", 4}});
  EXPECT_EQ(reply["response"], completion["choices"][0]["text"]);
  EXPECT_EQ(reply["eval_count"], completion["usage"]["completion_tokens"]);
}

TEST_F(OllamaRoute, FormatKeepsToTheSchema) {
  const Reply schema = {{"type", "object"},
                        {"properties", {{"color", {{"enum", {"red", "green"}}}}}},
                        {"required", {"color"}},
                        {"additionalProperties", false}};
  const Reply reply = server_->post("/api/chat", chat("shapes.png", "What color is the square?",
                                                      {{"stream", false}, {"format", schema}}));
  const std::string text = reply["message"]["content"];
  const Reply json = Reply::parse(text, nullptr, false);
  ASSERT_TRUE(json.is_object()) << text;
  EXPECT_THAT(json["color"], ::testing::AnyOf("red", "green"));
}

TEST_F(OllamaRoute, GroundingComesWithTheLastLine) {
  const std::vector<Reply> all =
      lines("/api/chat", chat("shapes.png", "<|ref|>the square<|/ref|>."));
  ASSERT_TRUE(all.back().contains("grounding")) << all.back();
  EXPECT_EQ(all.back()["grounding"][0]["label"], "the square");
}

TEST_F(OllamaRoute, WithoutAPromptTheModelIsSaidToBeThere) {
  EXPECT_EQ(server_->post("/api/generate", {{"model", "vl2-nano"}})["done_reason"], "load");
  const Reply reply =
      server_->post("/api/chat", {{"model", "vl2-nano"}, {"messages", Reply::array()}});
  EXPECT_EQ(reply["done_reason"], "load");
  EXPECT_TRUE(reply["done"]);
}

TEST_F(OllamaRoute, ErrorsAreTexts) {
  const Reply unknown = server_->post("/api/chat", {{"model", "llama3"}}, 404);
  EXPECT_THAT(unknown["error"].get<std::string>(), HasSubstr("'llama3' does not exist"));
  Reply broken = chat("sign.png", "Hello");
  broken["messages"][0]["images"][0] = "???";
  EXPECT_THAT(server_->post("/api/chat", broken, 400)["error"].get<std::string>(),
              HasSubstr("messages[0].images[0]"));
  EXPECT_TRUE(server_->post("/api/pull", {{"model", "x"}}, 404)["error"].is_string());
  EXPECT_TRUE(server_->get("/api/chat", 405)["error"].is_string());
}

TEST_F(OllamaRoute, TellsAboutItsModel) {
  const Reply tag = server_->get("/api/tags")["models"][0];
  EXPECT_EQ(tag["name"], "vl2-nano:latest");
  EXPECT_EQ(tag["details"]["quantization_level"], "BF16");
  EXPECT_EQ(tag["details"]["parameter_size"], "9.5M");
  EXPECT_EQ(tag["digest"].get<std::string>().size(), 64U);
  EXPECT_EQ(server_->get("/api/ps")["models"][0]["digest"], tag["digest"]);
  const Reply shown = server_->post("/api/show", {{"model", tag["model"]}});
  EXPECT_THAT(shown["capabilities"], ::testing::ElementsAre("completion", "vision"));
  EXPECT_EQ(shown["model_info"]["deepseek_vl2.context_length"],
            server_->get("/v1/models")["data"][0]["context_length"]);
  server_->post("/api/show", {{"name", "other"}}, 404);
  EXPECT_THAT(server_->get("/api/version")["version"].get<std::string>(),
              ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace vl2
