// SPDX-License-Identifier: MIT
// A whole server with the bundled model, and clients for it.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "server/base64.h"
#include "server/server.h"

namespace vl2::test {

using Reply = nlohmann::ordered_json;

inline const std::filesystem::path kNanoFolder = std::filesystem::path(VL2_MODELS) / "vl2-nano";

// Waits for a condition; false after a minute.
inline bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// In this process, so that sanitizers see it. Ends with the test.
class LiveServer {
 public:
  explicit LiveServer(ServerOptions options = {});
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  int port() const { return server_.port(); }
  void drain() { server_.drain(); }
  // run() has returned.
  bool ended() const { return ended_; }
  std::vector<std::string> log() const;

  httplib::Client client() const;
  // The body of a reply that must have this status.
  Reply get(const std::string& path, int status = 200) const;
  Reply post(const std::string& path, const Reply& body, int status = 200) const;
  // The same as text, as it comes.
  std::string post_text(const std::string& path, const Reply& body) const;
  // A line of /metrics; 0 if there is none.
  double metric(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
  std::atomic<bool> ended_ = false;
  Server server_;
  std::thread thread_;
};

// A picture of the model's demo.
std::string picture_url(const std::string& name);
std::string picture_base64(const std::string& name);

// {"messages": [one of the user's]} and more members.
Reply question(const std::string& text, Reply more = Reply::object());
// With a picture before the text.
Reply picture_question(const std::string& picture, const std::string& text,
                       Reply more = Reply::object());

// What `data:` lines of a stream hold, without the last [DONE], which must be there.
std::vector<Reply> chunks_of(const std::string& stream);

}  // namespace vl2::test
