// SPDX-License-Identifier: MIT
// The server as a program of its own: configuration, signals, a cache that survives kill -9.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "apps/program.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Environment = std::vector<std::pair<std::string, std::string>>;
using ::testing::HasSubstr;

constexpr const char* kChat = "/v1/chat/completions";

class ServedModel {
 public:
  explicit ServedModel(std::vector<std::string> arguments = {},
                       const Environment& environment = {}) {
    arguments.insert(arguments.begin(), {"serve", "--port", "0"});
    if (std::ranges::find(arguments, "-m") == arguments.end())
      arguments.insert(arguments.end(), {"-m", kNano.string()});
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    program_ = std::make_unique<RunningProgram>(arguments, true);
    for (const auto& [name, value] : environment) unsetenv(name.c_str());
    EXPECT_TRUE(program_->wait_for_screen(" ready "));
    constexpr std::string_view kUrl = "http://127.0.0.1:";
    const std::size_t at = program_->screen().find(kUrl);
    if (at != std::string::npos) port_ = std::stoi(program_->screen().substr(at + kUrl.size()));
  }

  RunningProgram& program() { return *program_; }
  int port() const { return port_; }
  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(60);
    return client;
  }
  Json get(const std::string& path, const httplib::Headers& headers = {}) const {
    const auto result = client().Get(path, headers);
    return result ? Json::parse(result->body, nullptr, false) : Json();
  }
  Json post(const std::string& path, const Json& body) const {
    const auto result = client().Post(path, body.dump(), "application/json");
    return result ? Json::parse(result->body, nullptr, false) : Json();
  }
  std::string metrics() const {
    const auto result = client().Get("/metrics");
    return result ? result->body : std::string();
  }

 private:
  std::unique_ptr<RunningProgram> program_;
  int port_ = 0;
};

// Reads an answer of so many tokens at least, on a thread of its own.
class Reader {
 public:
  Reader(const ServedModel& served, std::size_t tokens)
      : thread_([this, client = std::make_shared<httplib::Client>(served.client()), tokens] {
          httplib::Request request;
          request.method = "POST";
          request.path = kChat;
          request.set_header("Content-Type", "application/json");
          request.body = Json{{"messages", {{{"role", "user"}, {"content", "Hello"}}}},
                              {"stream", true},
                              {"max_tokens", tokens},
                              {"logit_bias", {{"1", -100}}}}
                             .dump();
          request.content_receiver = [this](const char* bytes, std::size_t count, std::uint64_t,
                                            std::uint64_t) {
            const std::lock_guard lock(mutex_);
            text_.append(bytes, count);
            return true;
          };
          client->send(request);
        }) {}
  ~Reader() {
    if (thread_.joinable()) thread_.join();
  }

  void wait_for_text() const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (text().find("content") == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  std::string whole_text() {
    thread_.join();
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  std::thread thread_;
};

TEST(Serve, FlagsGoBeforeTheEnvironmentAndThatBeforeTheFile) {
  const TemporaryFolder folder;
  write_file(folder / "vl2.conf",
             "# of the test\nmodel-name = from-file\ncontext = 512\ntemperature = 0.25\n");
  const ServedModel served({"--config", (folder / "vl2.conf").string(), "--model-name", "flag"},
                           {{"VL2_MODEL_NAME", "environment"}, {"VL2_CONTEXT", "1024"}});
  const Json model = served.get("/v1/models")["data"][0];
  EXPECT_EQ(model["id"], "flag");
  EXPECT_EQ(model["context_length"], 1024);
  EXPECT_THAT(served.post("/api/show", Json::object())["parameters"].get<std::string>(),
              HasSubstr("temperature 0.25"));
}

TEST(Serve, IntegerVisionIsNamedAndAnswersAsOnTheCommandLine) {
  const ServedModel served({"--vision", "int8", "--media-path", (kNano / "demo").string()});
  EXPECT_EQ(served.get("/v1/models")["data"][0]["vision_format"], "int8");
  const std::string question = "What does the text say?";
  Json content = Json::array();
  content.push_back({{"type", "image_url"}, {"image_url", "file://sign.png"}});
  content.push_back({{"type", "text"}, {"text", question}});
  const Json answer = served.post(
      kChat, {{"messages", {{{"role", "user"}, {"content", content}}}}, {"temperature", 0}});
  EXPECT_THAT(answer["system_fingerprint"].get<std::string>(), HasSubstr("vision-int8"));
  const Result line = run_on_nano(
      "run",
      {"--vision", "int8", "-i", (kNano / "demo" / "sign.png").string(), "--json", question});
  EXPECT_EQ(answer["choices"][0]["message"]["content"], line.json()["text"]);
}

TEST(Serve, WrongConfigurationIsToldInOneLine) {
  const TemporaryFolder folder;
  const auto fails_with = [&](const std::string& text, int code, const std::string& words) {
    write_file(folder / "vl2.conf", text);
    const Result result =
        run_program({"serve", "-m", kNano.string(), "--config", (folder / "vl2.conf").string()});
    EXPECT_EQ(result.exit_code, code) << text;
    EXPECT_TRUE(is_one_clear_line(result.errors));
    EXPECT_THAT(result.errors, HasSubstr(words));
  };
  fails_with("colour = blue\n", 2, "there is no option 'colour'");
  fails_with("port = many\n", 2, "many");
  const Result missing = run_program({"serve", "--config", (folder / "none.conf").string()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.errors, HasSubstr("none.conf"));
}

TEST(Serve, WrongUsageIsTold) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--port", "70000"},
                                             {"--temperature", "-1"},
                                             {"--kv-memory", "lots"},
                                             {"--media-path", "/no/such/folder"},
                                             {"--cache-size", "0"},
                                             {"--nonsense"}}) {
    const Result result = run_on_nano("serve", arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments[0];
    EXPECT_TRUE(is_one_clear_line(result.errors));
  }
}

TEST(Serve, WhatKeepsItFromStartingIsTold) {
  const TemporaryFolder folder;
  write_file(folder / "empty", "\n \n");
  const ServedModel other;
  const std::string port = std::to_string(other.port());
  for (const auto& [arguments, words] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"-m", (folder / "none").string()}, "none"},
           {{"--api-key-file", (folder / "empty").string()}, "holds no key"},
           {{"--port", port}, "Address already in use"},
           {{"--host", "no.such.host.invalid"}, "no.such.host.invalid"},
           {{"--port", "0", "--kv-memory", "1"}, "--kv-memory"},
           {{"--port", "0", "--cache-dir", (folder / "empty" / "x").string()}, "empty"}}) {
    std::vector<std::string> all = arguments;
    all.insert(all.begin(), "serve");
    if (arguments[0] != "-m") all.insert(all.end(), {"-m", kNano.string()});
    const Result result = run_program(all);
    EXPECT_EQ(result.exit_code, 1) << arguments[0];
    EXPECT_THAT(result.errors, HasSubstr("vl2: ")) << arguments[0];
    EXPECT_THAT(result.errors, HasSubstr(words)) << arguments[0];
  }
}

TEST(Serve, KeysComeFromFlagsAndFiles) {
  const TemporaryFolder folder;
  write_file(folder / "keys", "first\n\nsecond\r\n");
  const ServedModel served({"--api-key-file", (folder / "keys").string(), "--api-key", "third"});
  const auto status = [&](const std::string& key) {
    const auto result = served.client().Get("/v1/models", {{"Authorization", "Bearer " + key}});
    return result ? result->status : 0;
  };
  for (const char* key : {"first", "second", "third"}) EXPECT_EQ(status(key), 200) << key;
  for (const char* key : {"", "fourth", "second\r"}) EXPECT_EQ(status(key), 401) << key;
  EXPECT_EQ(served.get("/health")["status"], "ok");
}

TEST(Serve, OnTheFirstSignalItFinishesWhatItIsAt) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ServedModel served;
    Reader reader(served, 1000);
    reader.wait_for_text();
    served.program().send(signal);
    EXPECT_THAT(reader.whole_text(), HasSubstr("\"finish_reason\":\"length\""));
    EXPECT_EQ(served.program().wait(), 0);
    EXPECT_THAT(served.program().screen(), HasSubstr("draining signal="));
    EXPECT_THAT(served.program().screen(), HasSubstr("stopped"));
  }
}

TEST(Serve, OnTheSecondSignalItEndsAtOnce) {
  // Enough answers to keep it busy for far longer than a test may take.
  ServedModel served({"--max-running", "1"});
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 40; ++i) readers.push_back(std::make_unique<Reader>(served, 4000));
  readers.front()->wait_for_text();
  served.program().send(SIGTERM);
  EXPECT_TRUE(served.program().wait_for_screen("draining"));
  served.program().send(SIGTERM);
  EXPECT_EQ(served.program().wait(), 130);
  std::size_t complete = 0;
  for (const auto& reader : readers)
    complete += reader->whole_text().find("[DONE]") != std::string::npos ? 1 : 0;
  EXPECT_LT(complete, readers.size());
}

TEST(Serve, PicturesSurviveKillMinusNine) {
  const TemporaryFolder folder;
  const std::vector<std::string> arguments = {"--cache-dir", (folder / "cache").string(),
                                              "--media-path", (kNano / "demo").string()};
  Json content = Json::array();
  content.push_back({{"type", "image_url"}, {"image_url", "file://wide.png"}});
  content.push_back({{"type", "text"}, {"text", "What is this?"}});
  const Json body = {{"messages", {{{"role", "user"}, {"content", content}}}},
                     {"logprobs", true},
                     {"top_logprobs", 5}};
  Json first;
  {
    ServedModel served(arguments);
    first = served.post(kChat, body)["choices"];
    EXPECT_THAT(served.metrics(), HasSubstr("vl2_picture_tiles_total{from=\"disk\"} 0"));
    // Its tiles are on disk once there are as many files as it has.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto tiles = [&] {
      std::size_t count = 0;
      for (const auto& entry : fs::directory_iterator(folder / "cache"))
        count += entry.path().extension() == ".tile" ? 1 : 0;
      return count;
    };
    while (tiles() < 3 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_EQ(tiles(), 3U);
    served.program().send(SIGKILL);
    served.program().wait();
  }
  ASSERT_FALSE(first.empty());
  const ServedModel served(arguments);
  EXPECT_EQ(served.post(kChat, body)["choices"], first);
  EXPECT_THAT(served.metrics(), HasSubstr("vl2_picture_tiles_total{from=\"tower\"} 0\n"));
  EXPECT_THAT(served.metrics(), HasSubstr("vl2_picture_tiles_total{from=\"disk\"} 3\n"));
}

TEST(Serve, AModelFolderThatDisappearsIsNotMissed) {
  const TemporaryFolder folder;
  fs::copy(kNano, folder / "model", fs::copy_options::recursive);
  const ServedModel served({"-m", (folder / "model").string()});
  fs::remove_all(folder / "model");
  const Json reply = served.post(kChat, {{"messages", {{{"role", "user"}, {"content", "Hello"}}}}});
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "stop");
}

}  // namespace
}  // namespace vl2
