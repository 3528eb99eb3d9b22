// SPDX-License-Identifier: MIT
#include "server/ollama_request.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

using ::testing::ElementsAre;

OllamaRequest chat(const std::string& body) { return parse_ollama_chat(body, {}); }
OllamaRequest generate(const std::string& body) { return parse_ollama_generate(body, {}); }

TEST(OllamaRequest, ReadsAConversation) {
  const OllamaRequest request =
      chat(R"({"model":"m:latest","messages":[{"role":"system","content":"s"},)"
           R"({"role":"user","content":"u","images":["QUJD","data:image/png;base64,QUJD"]},)"
           R"({"role":"assistant","content":"a"}],"keep_alive":"5m","think":false})");
  EXPECT_EQ(request.model, "m:latest");
  ASSERT_EQ(request.messages.size(), 3U);
  EXPECT_EQ(request.messages[0].role, Role::system);
  EXPECT_EQ(request.messages[1].text, "u");
  ASSERT_EQ(request.messages[1].pictures.size(), 2U);
  EXPECT_EQ(request.messages[1].pictures[0].url, "data:image/any;base64,QUJD");
  EXPECT_EQ(request.messages[1].pictures[0].param, "messages[1].images[0]");
  EXPECT_EQ(request.messages[1].pictures[1].url, "data:image/png;base64,QUJD");
  EXPECT_EQ(request.messages[2].role, Role::assistant);
  EXPECT_TRUE(request.generation.stream);
  EXPECT_EQ(request.generation.options.max_tokens, std::numeric_limits<std::size_t>::max());
}

TEST(OllamaRequest, TakesItsOptions) {
  const GenerationFields fields =
      chat(R"({"stream":false,"options":{"temperature":0.5,"top_k":3,"top_p":0.25,"min_p":0.125,)"
           R"("seed":9,"stop":["a","b"],"num_predict":5,"repeat_penalty":1.5,)"
           R"("presence_penalty":1,"frequency_penalty":-1,"num_ctx":4096,"mirostat":0}})")
          .generation;
  EXPECT_FALSE(fields.stream);
  EXPECT_EQ(fields.options.temperature, 0.5);
  EXPECT_EQ(fields.options.top_k, 3);
  EXPECT_EQ(fields.options.top_p, 0.25);
  EXPECT_EQ(fields.options.min_p, 0.125);
  EXPECT_EQ(fields.seed, 9U);
  EXPECT_THAT(fields.options.stop, ElementsAre("a", "b"));
  EXPECT_EQ(fields.options.max_tokens, 5U);
  EXPECT_EQ(fields.options.repetition_penalty, 1.5);
  EXPECT_EQ(fields.presence_penalty, 1.0);
  EXPECT_EQ(fields.frequency_penalty, -1.0);
}

TEST(OllamaRequest, NumPredictBelowOneIsAsManyAsFit) {
  for (const char* count : {"0", "-1", "-2"}) {
    const std::string body = std::string(R"({"options":{"num_predict":)") + count + "}}";
    EXPECT_EQ(chat(body).generation.options.max_tokens, std::numeric_limits<std::size_t>::max());
  }
}

TEST(OllamaRequest, FormatIsJsonOrASchema) {
  EXPECT_EQ(chat(R"({"format":""})").format.type, ResponseFormat::Type::text);
  EXPECT_EQ(chat(R"({"format":"json"})").format.type, ResponseFormat::Type::json_object);
  const ResponseFormat format = chat(R"({"format":{"type":"integer"}})").format;
  EXPECT_EQ(format.type, ResponseFormat::Type::json_schema);
  EXPECT_EQ(format.schema["type"], "integer");
}

TEST(OllamaRequest, APromptIsAConversationUnlessItIsRaw) {
  const OllamaRequest request = generate(R"({"prompt":"p","system":"s","images":["QUJD"]})");
  ASSERT_EQ(request.messages.size(), 2U);
  EXPECT_EQ(request.messages[0].text, "s");
  EXPECT_EQ(request.messages[1].text, "p");
  EXPECT_EQ(request.messages[1].pictures[0].param, "images[0]");
  EXPECT_FALSE(request.raw_prompt.has_value());
  EXPECT_EQ(generate(R"({"prompt":"p","raw":true})").raw_prompt, "p");
  EXPECT_TRUE(generate(R"({"model":"m"})").messages.empty());
  EXPECT_TRUE(generate(R"({"prompt":"p","context":[],"template":"","suffix":null})").raw_prompt ==
              std::nullopt);
}

TEST(OllamaRequest, RefusesWhatWouldChangeTheAnswerAndNamesIt) {
  const std::pair<const char*, const char*> chats[] = {
      {R"({"messages":[{"role":"tool","content":"x"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"system","content":"x","images":["QUJD"]}]})", "messages[0]"},
      {R"({"messages":[{"role":"user","content":"x","images":[1]}]})", "messages[0].images[0]"},
      {R"({"messages":{}})", "messages"},
      {R"({"tools":[{}]})", "tools"},
      {R"({"format":"yaml"})", "format"},
      {R"({"options":{"temperature":"hot"}})", "options.temperature"},
      {R"({"options":{"num_predict":1.5}})", "options.num_predict"},
      {R"({"options":[]})", "options"},
      {R"({"stream":"yes"})", "stream"},
  };
  for (const auto& [body, param] : chats)
    EXPECT_EQ(refusal_of([&] { chat(body); }).param, param) << body;
  const std::pair<const char*, const char*> prompts[] = {
      {R"({"prompt":"p","suffix":"x"})", "suffix"},
      {R"({"prompt":"p","context":[1]})", "context"},
      {R"({"prompt":"p","template":"x"})", "template"},
      {R"({"prompt":"p","raw":true,"images":["QUJD"]})", "images"},
  };
  for (const auto& [body, param] : prompts)
    EXPECT_EQ(refusal_of([&] { generate(body); }).param, param) << body;
}

}  // namespace
}  // namespace vl2
