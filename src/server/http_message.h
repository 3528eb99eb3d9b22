// SPDX-License-Identifier: MIT
// Requests and responses as routes see them, whatever library speaks HTTP.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/body_room.h"
#include "server/event_queue.h"

namespace vl2 {

// Who asked. Lives as long as the request is answered.
class ClientConnection {
 public:
  explicit ClientConnection(int socket) : socket_(socket) {}

  enum class Wake { event, gone, timeout };
  // Waits until the queue has an event, the client has closed its connection, or the time is up.
  Wake wait(const EventQueue& events, int timeout_ms) const;

 private:
  int socket_;  // -1: nobody, who stays
};

struct HttpRequest {
  std::string method;
  std::string path;
  std::string body;
  std::string id;  // told as x-request-id
  const ClientConnection* client = nullptr;
  std::string if_none_match = {};
  bool accepts_gzip = false;
  BodyRoom::Share room = {};  // of the body; routes give it back when they keep nothing of it
};

// The rest of a response whose headers are sent.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // False when the client has gone, or has not read anything for too long.
  virtual bool write(std::string_view bytes) = 0;
};

// How a response that was streamed ended.
struct StreamEnd {
  std::string note;  // for the log
  bool client_gone = false;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // If set, the headers are sent at once, and this writes what comes after them.
  std::function<StreamEnd(ResponseStream&)> stream = {};
  bool client_gone = false;  // nobody is there to read it
  std::string note = {};     // for the log: "prompt_tokens=12 ..."
};

struct HttpRoute {
  std::string method;
  std::string path;  // exact, or with a last "*" for any rest
  std::function<HttpResponse(HttpRequest&)> handle;
  bool open = false;  // needs no key
};

}  // namespace vl2
