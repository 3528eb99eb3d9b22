// SPDX-License-Identifier: MIT
// Chat completions as clients see them.
#include "server/chat_route.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live_server.h"

namespace vl2 {
namespace {

using test::LiveServer;
using test::question;
using test::Reply;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kChat = "/v1/chat/completions";

// One server for all tests: they ask, and change nothing.
class ChatRoute : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new LiveServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static Reply ask(const Reply& body, int status = 200) {
    return server_->post(kChat, body, status);
  }
  static std::string answer(const Reply& body) {
    return ask(body)["choices"][0]["message"]["content"];
  }
  static std::vector<Reply> stream(const Reply& body) {
    return test::chunks_of(server_->post_text(kChat, body));
  }

  static LiveServer* server_;
};

LiveServer* ChatRoute::server_ = nullptr;

const Reply kSign = test::picture_question("shapes.png", "<|ref|>the square<|/ref|>.");

Reply with(Reply body, const Reply& more) {
  body.update(more);
  return body;
}

TEST_F(ChatRoute, AnswersAboutAPicture) {
  const Reply reply = ask(test::picture_question("receipt.png", "How many items are there?"));
  EXPECT_EQ(reply["object"], "chat.completion");
  EXPECT_THAT(reply["id"].get<std::string>(), StartsWith("chatcmpl-"));
  EXPECT_EQ(reply["model"], "vl2-nano");
  EXPECT_THAT(reply["system_fingerprint"].get<std::string>(), StartsWith("vl2-nano-bf16-"));
  const Reply& choice = reply["choices"][0];
  EXPECT_EQ(choice["message"]["role"], "assistant");
  EXPECT_EQ(choice["message"]["content"], "5");
  EXPECT_EQ(choice["finish_reason"], "stop");
  const Reply& usage = reply["usage"];
  EXPECT_GT(usage["prompt_tokens_details"]["image_tokens"], 100);
  EXPECT_EQ(usage["completion_tokens"], 2);
  EXPECT_EQ(usage["total_tokens"],
            usage["prompt_tokens"].get<int>() + usage["completion_tokens"].get<int>());
  EXPECT_GE(reply["timings"]["predicted_ms"], 0.0);
}

TEST_F(ChatRoute, TheSecondTimeThePromptIsInTheCacheAndTheAnswerTheSame) {
  const Reply body = test::picture_question("sign.png", "What is written on the sign?",
                                            {{"logprobs", true}, {"top_logprobs", 5}});
  const Reply first = ask(body);
  const Reply second = ask(body);
  EXPECT_GT(second["usage"]["prompt_tokens_details"]["cached_tokens"], 100);
  EXPECT_EQ(first["choices"], second["choices"]);
}

TEST_F(ChatRoute, AStreamSaysTheSame) {
  const Reply whole = ask(kSign);
  const std::vector<Reply> chunks =
      stream(with(kSign, {{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
  std::string text;
  Reply grounding;
  std::string reason;
  for (const Reply& chunk : chunks) {
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_EQ(chunk["id"], chunks.front()["id"]);
    if (chunk["choices"].empty()) continue;
    EXPECT_TRUE(chunk["usage"].is_null());
    const Reply& delta = chunk["choices"][0]["delta"];
    text += delta.value("content", "");
    if (delta.contains("grounding")) grounding = delta["grounding"];
    if (chunk["choices"][0]["finish_reason"].is_string())
      reason = chunk["choices"][0]["finish_reason"];
  }
  const Reply& message = whole["choices"][0]["message"];
  EXPECT_EQ(text, message["content"].get<std::string>());
  EXPECT_EQ(reason, whole["choices"][0]["finish_reason"].get<std::string>());
  ASSERT_TRUE(message.contains("grounding")) << message;
  EXPECT_EQ(grounding, message["grounding"]);
  EXPECT_EQ(chunks.back()["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
}

TEST_F(ChatRoute, GroundingTellsLabelsBoxesAndHowSureTheyAre) {
  const Reply message = ask(kSign)["choices"][0]["message"];
  EXPECT_THAT(message["content"].get<std::string>(), HasSubstr("<|det|>[["));
  const Reply& region = message["grounding"][0];
  EXPECT_EQ(region["label"], "the square");
  EXPECT_EQ(region["image"], 0);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_GE(region["box"][i], 0);
    EXPECT_LE(region["box"][i], 999);
  }
  EXPECT_GT(region["probability"], 0.0);
  EXPECT_LE(region["probability"], 1.0);
}

TEST_F(ChatRoute, LogprobsHaveTheFormTheSdksKnow) {
  const Reply reply =
      ask(question("Hello", {{"logprobs", true}, {"top_logprobs", 3}, {"max_tokens", 4}}));
  const Reply& content = reply["choices"][0]["logprobs"]["content"];
  ASSERT_FALSE(content.empty());
  for (const Reply& token : content) {
    EXPECT_LE(token["logprob"], 0.0);
    EXPECT_TRUE(token["bytes"].is_array());
    ASSERT_EQ(token["top_logprobs"].size(), 3U);
    // Without sampling the most probable token is the one that was chosen.
    EXPECT_EQ(token["top_logprobs"][0]["token"], token["token"]);
    EXPECT_GE(token["top_logprobs"][0]["logprob"], token["top_logprobs"][1]["logprob"]);
  }
  EXPECT_TRUE(ask(question("Hello", {{"max_tokens", 1}}))["choices"][0]["logprobs"].is_null());
}

TEST_F(ChatRoute, ChoicesAreThoseOfNeighbouringSeeds) {
  const Reply body = question("Hello", {{"temperature", 1.5}, {"seed", 7}, {"max_tokens", 12}});
  const Reply three = ask(with(body, {{"n", 3}}));
  ASSERT_EQ(three["choices"].size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(three["choices"][i]["index"], i);
    EXPECT_EQ(three["choices"][i]["message"]["content"], answer(with(body, {{"seed", 7 + i}})));
  }
  EXPECT_NE(three["choices"][0]["message"], three["choices"][1]["message"]);
}

TEST_F(ChatRoute, LogitBiasForbidsAndForces) {
  const Reply ids = server_->post("/tokenize", {{"content", "Q"}})["tokens"];
  const std::string token = ids[0].dump();
  const Reply forced = question("Hello", {{"logit_bias", {{token, 100}}}, {"max_tokens", 3}});
  EXPECT_EQ(answer(forced), "QQQ");
  EXPECT_EQ(ask(question("Hello", {{"logit_bias", {{"999999", 1}}}}), 400)["error"]["param"],
            "logit_bias");
}

TEST_F(ChatRoute, PenaltiesEndRepetition) {
  const Reply ids = server_->post("/tokenize", {{"content", "Q"}})["tokens"];
  // Just enough to win once: the penalty of what is there already takes it away again.
  const Reply body = question("Hello", {{"logit_bias", {{ids[0].dump(), 60}}}, {"max_tokens", 6}});
  EXPECT_EQ(answer(body), "QQQQQQ");
  EXPECT_EQ(answer(with(body, {{"no_repeat_ngram_size", 1}})).find("QQ"), std::string::npos);
  EXPECT_EQ(answer(with(body, {{"repetition_penalty", 100}})).find("QQ"), std::string::npos);
}

TEST_F(ChatRoute, PresenceAndFrequencyPenaltiesAreTakenOffTheLogits) {
  const Reply ids = server_->post("/tokenize", {{"content", "Q"}})["tokens"];
  const std::string token = ids[0].dump();
  // By how much Q must be preferred to win at once, to about a hundredth.
  const auto wins = [&](double bias, const Reply& more) {
    const Reply body =
        question("Hello", {{"logit_bias", {{token, bias}}}, {"max_tokens", 2}, {"temperature", 0}});
    return answer(with(body, more)) == "QQ";
  };
  double low = 0;
  double high = 100;
  while (high - low > 0.01) {
    const double middle = (low + high) / 2;
    (wins(middle, Reply::object()) ? high : low) = middle;
  }
  EXPECT_TRUE(wins(high + 1.5, {{"presence_penalty", 1}}));
  EXPECT_FALSE(wins(high, {{"presence_penalty", 1}}));
  EXPECT_FALSE(wins(high, {{"frequency_penalty", 1}}));
  EXPECT_TRUE(wins(high, {{"frequency_penalty", -1}}));
}

TEST_F(ChatRoute, MaxTilesMakesPicturesCheaperAndDetailDoesNot) {
  Reply body = test::picture_question("wide.png", "What is this?", {{"max_tokens", 1}});
  const auto image_tokens = [&](const Reply& asked) {
    return ask(asked)["usage"]["prompt_tokens_details"]["image_tokens"].get<int>();
  };
  const int all = image_tokens(body);
  EXPECT_LT(image_tokens(with(body, {{"max_tiles", 1}})), all);
  body["messages"][0]["content"][0]["image_url"]["detail"] = "low";
  EXPECT_EQ(image_tokens(body), all);
}

TEST_F(ChatRoute, LongLimitsAreClampedAndShortOnesTold) {
  EXPECT_EQ(ask(question("Hello", {{"max_tokens", 100'000'000}}))["choices"][0]["finish_reason"],
            "stop");
  const Reply reply = ask(question("Hello", {{"max_completion_tokens", 1}}));
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(reply["usage"]["completion_tokens"], 1);
}

TEST_F(ChatRoute, StopStringsEndTheAnswerBeforeThem) {
  const Reply ids = server_->post("/tokenize", {{"content", "Q"}})["tokens"];
  const Reply body = question("Hello", {{"logit_bias", {{ids[0].dump(), 100}}}, {"max_tokens", 8}});
  const Reply reply = ask(with(body, {{"stop", "QQQ"}}));
  EXPECT_EQ(reply["choices"][0]["message"]["content"], "");
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "stop");
}

TEST_F(ChatRoute, JsonIsWhatTheSchemaSays) {
  const Reply schema = Reply::parse(R"({"type":"object","properties":{
    "color":{"enum":["red","green","blue"]},"count":{"type":"integer","minimum":0,"maximum":9}},
    "required":["color","count"],"additionalProperties":false})");
  const Reply format = {{"type", "json_schema"},
                        {"json_schema", {{"name", "shape"}, {"schema", schema}}}};
  for (const int seed : {1, 2, 3}) {
    const Reply reply =
        ask(question("Hello", {{"response_format", format}, {"temperature", 2}, {"seed", seed}}));
    const std::string text = reply["choices"][0]["message"]["content"];
    const Reply json = Reply::parse(text, nullptr, false);
    ASSERT_TRUE(json.is_object()) << text;
    EXPECT_THAT(json["color"], ::testing::AnyOf("red", "green", "blue"));
    EXPECT_LE(json["count"], 9);
  }
}

TEST_F(ChatRoute, BoxesAreKeptWellFormedUnlessSwitchedOff) {
  const Reply ids = server_->post("/tokenize", {{"content", "Q"}})["tokens"];
  // Q is pushed so hard that it comes wherever it may.
  const Reply body = with(
      kSign, {{"logit_bias", {{ids[0].dump(), 22}}},
              {"max_tokens", 40},
              {"messages", Reply::array({{{"role", "user"}, {"content", "Hi"}},
                                         {{"role", "assistant"}, {"content", "<|det|>[["}}})}});
  EXPECT_THAT(answer(with(body, {{"constrain_boxes", false}})), HasSubstr("Q"));
  const std::string constrained = answer(body);
  EXPECT_EQ(constrained.substr(0, constrained.find("]]")).find('Q'), std::string::npos)
      << constrained;
}

TEST_F(ChatRoute, RolesAndEmptyAnswersAreTaken) {
  Reply body = question("Hello", {{"max_tokens", 1}});
  body["messages"] = Reply::array({{{"role", "developer"}, {"content", "Be short."}},
                                   {{"role", "user"}, {"content", "Hi"}},
                                   {{"role", "assistant"}, {"content", nullptr}},
                                   {{"role", "user"}, {"content", "Hello"}}});
  body["some_new_field"] = {{"of", "a client"}};
  ask(body);
}

TEST_F(ChatRoute, RefusalsNameThePart) {
  Reply picture = test::picture_question("sign.png", "Hello");
  picture["messages"][0]["content"][0]["image_url"]["url"] = "https://example.org/a.png";
  const Reply error = ask(picture, 400)["error"];
  EXPECT_EQ(error["param"], "messages[0].content[0].image_url");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("--allow-image-domains"));

  std::string words;
  for (int i = 0; i < 5000; ++i) words += " many words";
  const Reply longer = ask(question(words), 400)["error"];
  EXPECT_EQ(longer["code"], "context_length_exceeded");
  EXPECT_THAT(longer["message"].get<std::string>(), HasSubstr("tokens"));

  EXPECT_EQ(ask(question("Hello", {{"model", "gpt-4"}}), 404)["error"]["code"], "model_not_found");
}

TEST_F(ChatRoute, CountsBeforeItIsAsked) {
  const Reply body = test::picture_question("wide.png", "What is this?", {{"max_tokens", 1}});
  const Reply counted = server_->post("/v1/chat/completions/input_tokens", body);
  const Reply usage = ask(body)["usage"];
  EXPECT_EQ(counted["input_tokens"], usage["prompt_tokens"]);
  EXPECT_EQ(counted["image_tokens"], usage["prompt_tokens_details"]["image_tokens"]);
  EXPECT_EQ(counted["messages"][0]["image_tokens"][0], counted["image_tokens"]);
  EXPECT_EQ(counted["tokens_left"],
            counted["context_length"].get<int>() - counted["input_tokens"].get<int>());
}

TEST_F(ChatRoute, ModelsTellWhatTheyAre) {
  const Reply model = server_->get("/v1/models")["data"][0];
  EXPECT_EQ(model["id"], "vl2-nano");
  EXPECT_GT(model["weights_bytes"], 10'000'000);
  EXPECT_EQ(model["weights_format"], "bf16");
  EXPECT_GT(model["context_length"], 1000);
  EXPECT_EQ(server_->get("/v1/models/vl2-nano"), model);
  server_->get("/v1/models/other", 404);
}

TEST_F(ChatRoute, TokenizesThereAndBack) {
  const Reply tokens = server_->post("/tokenize", {{"content", "Hello, world"}});
  EXPECT_EQ(server_->post("/detokenize", {{"tokens", tokens["tokens"]}})["content"],
            "Hello, world");
  server_->post("/detokenize", {{"tokens", {-1}}}, 400);
}

TEST_F(ChatRoute, CompletionsGoOnWithTheText) {
  const Reply body = {{"prompt", {"One", "Two"}}, {"max_tokens", 4}, {"logprobs", 2}};
  const Reply reply = server_->post("/v1/completions", body);
  ASSERT_EQ(reply["choices"].size(), 2U);
  const Reply& logprobs = reply["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"].size(), logprobs["token_logprobs"].size());
  EXPECT_THAT(logprobs["token_logprobs"], Each(::testing::Le(0.0)));
  const std::vector<Reply> chunks = test::chunks_of(
      server_->post_text("/v1/completions", with(body, {{"stream", true}, {"prompt", "One"}})));
  std::string text;
  for (const Reply& chunk : chunks) text += chunk["choices"][0]["text"].get<std::string>();
  EXPECT_EQ(text, reply["choices"][0]["text"].get<std::string>());
}

}  // namespace
}  // namespace vl2
