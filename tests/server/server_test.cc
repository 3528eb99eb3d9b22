// SPDX-License-Identifier: MIT
// The whole server under load, with clients that leave, and on its way out.
#include "server/server.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live_server.h"

namespace vl2 {
namespace {

using test::LiveServer;
using test::Reply;
using test::wait_until;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kChat = "/v1/chat/completions";

// An answer that goes on until somebody ends it, or the context.
Reply endless(Reply more = Reply::object()) {
  more["stream"] = true;
  more["logit_bias"] = {{"1", -100}};  // nano's end of sentence
  return test::question("Hello", std::move(more));
}

// A client of its own thread that reads an endless answer until told to leave.
class Reader {
 public:
  explicit Reader(const LiveServer& server, const Reply& body = endless())
      : thread_([this, &server, text = body.dump()] {
          httplib::Client client = server.client();
          httplib::Request request;
          request.method = "POST";
          request.path = kChat;
          request.body = text;
          request.set_header("Content-Type", "application/json");
          request.content_receiver = [&](const char* bytes, std::size_t count, std::uint64_t,
                                         std::uint64_t) {
            const std::lock_guard lock(mutex_);
            text_.append(bytes, count);
            return !leaving_;
          };
          const auto result = client.send(request);
          if (result) status_ = result->status;
          ended_ = true;
        }) {}
  ~Reader() {
    leave();
    thread_.join();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void leave() { leaving_ = true; }
  bool has(const std::string& part) const {
    const std::lock_guard lock(mutex_);
    return text_.find(part) != text_.npos;
  }
  bool ended() const { return ended_; }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  int status() const { return status_; }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  std::atomic<bool> leaving_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<int> status_ = 0;
  std::thread thread_;
};

TEST(Server, AStreamBeginsBeforeItsTurnAndIsKeptAlive) {
  LiveServer server({.most_running = 1, .ping_seconds = 0.01});
  const Reader first(server);
  ASSERT_TRUE(wait_until([&] { return first.has("content"); }));
  const Reader second(server);
  EXPECT_TRUE(wait_until([&] { return second.has("\"role\":\"assistant\""); }));
  EXPECT_TRUE(wait_until([&] { return second.has(": ping\n\n"); }));
}

TEST(Server, BeyondTheQueueItIs429WithATime) {
  LiveServer server({.most_running = 1, .most_waiting = 1});
  const Reader first(server);
  ASSERT_TRUE(wait_until([&] { return server.metric("vl2_requests_running") == 1; }));
  const Reader second(server);
  ASSERT_TRUE(wait_until([&] { return server.metric("vl2_requests_waiting") == 1; }));
  const auto third = server.client().Post(kChat, endless().dump(), "application/json");
  ASSERT_TRUE(third);
  EXPECT_EQ(third->status, 429);
  EXPECT_EQ(third->get_header_value("Retry-After"), "2");
  EXPECT_EQ(Reply::parse(third->body)["error"]["code"], "queue_full");
}

TEST(Server, ClientsThatLeaveAreForgottenAtWorkAndInTheQueue) {
  LiveServer server({.most_running = 1});
  Reader first(server);
  ASSERT_TRUE(wait_until([&] { return server.metric("vl2_requests_running") == 1; }));
  Reader second(server, endless({{"stream", true}}));
  ASSERT_TRUE(wait_until([&] { return server.metric("vl2_requests_waiting") == 1; }));
  second.leave();
  first.leave();
  EXPECT_TRUE(wait_until([&] {
    return server.metric("vl2_requests_running") + server.metric("vl2_requests_waiting") == 0;
  }));
  EXPECT_TRUE(wait_until([&] { return server.metric("vl2_kv_pages_used") == 0; }));
}

TEST(Server, AClientThatLeavesWhileItsPicturesAreReadIsForgotten) {
  LiveServer server;
  for (int i = 0; i < 3; ++i) {
    Reader reader(server, test::picture_question("wide.png", "What is this?", {{"stream", true}}));
    ASSERT_TRUE(wait_until([&] { return reader.has("assistant"); }));
  }
  EXPECT_TRUE(wait_until([&] {
    return server.metric("vl2_requests_running") + server.metric("vl2_requests_waiting") == 0;
  }));
}

TEST(Server, DrainsWhatIsAtWorkAndTakesNothingNew) {
  LiveServer server({.drain_seconds = 60});
  Reader reader(server, endless({{"max_tokens", 600}}));
  ASSERT_TRUE(wait_until([&] { return reader.has("content"); }));
  httplib::Client client = server.client();
  client.set_keep_alive(false);
  server.drain();
  const auto health = client.Get("/health");
  if (health) {  // nothing listens any more once the answer is complete
    EXPECT_EQ(health->status, 503);
    const auto refused = client.Post(kChat, endless().dump(), "application/json");
    if (refused) {
      EXPECT_EQ(Reply::parse(refused->body)["error"]["code"], "draining");
    }
  }
  EXPECT_TRUE(wait_until([&] { return reader.ended() && server.ended(); }));
  EXPECT_THAT(reader.text(), HasSubstr("\"finish_reason\":\"length\""));
  EXPECT_THAT(reader.text(), ::testing::EndsWith("data: [DONE]\n\n"));
}

TEST(Server, ADrainThatTakesTooLongIsCutShortInsideTheStreams) {
  LiveServer server({.drain_seconds = 0});
  Reader reader(server);
  ASSERT_TRUE(wait_until([&] { return reader.has("content"); }));
  server.drain();
  EXPECT_TRUE(wait_until([&] { return reader.ended() && server.ended(); }));
  EXPECT_THAT(reader.text(), HasSubstr("data: {\"error\":{\"message\":"));
}

TEST(Server, AnswersThatTakeTooLongEndWithAnError) {
  LiveServer server({.most_seconds = 0});
  const Reply reply =
      server.post(kChat, test::question("Hello", {{"logit_bias", {{"1", -100}}}}), 504);
  EXPECT_EQ(reply["error"]["code"], "timeout");
}

TEST(Server, LogsALineARequestWithoutItsContent) {
  LiveServer server;
  server.post(kChat, test::question("xylophone"));
  EXPECT_TRUE(wait_until([&] {
    const std::vector<std::string> log = server.log();
    return std::ranges::any_of(log, [](const std::string& line) {
      return line.find("path=/v1/chat/completions status=200") != line.npos;
    });
  }));
  EXPECT_THAT(server.log(), Not(Contains(HasSubstr("xylophone"))));
  EXPECT_THAT(server.log(), Contains(HasSubstr("completion_tokens=")));
}

TEST(Server, ManyAtOnceGetTheAnswersTheyWouldGetAlone) {
  LiveServer server;
  std::vector<Reply> bodies;
  for (const auto& [picture, text] : std::vector<std::pair<const char*, const char*>>{
           {"receipt.png", "How many items are there?"},
           {"bar_chart.png", "What is the title?"},
           {"shapes.png", "What color is the square?"},
           {"sign.png", "What is written?"}})
    bodies.push_back(test::picture_question(picture, text, {{"logprobs", true}, {"seed", 1}}));
  std::vector<Reply> alone;
  for (const Reply& body : bodies) alone.push_back(server.post(kChat, body)["choices"]);
  std::vector<Reply> together(3 * bodies.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < together.size(); ++i)
    threads.emplace_back(
        [&, i] { together[i] = server.post(kChat, bodies[i % bodies.size()])["choices"]; });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < together.size(); ++i)
    EXPECT_EQ(together[i], alone[i % bodies.size()]);
}

}  // namespace
}  // namespace vl2
