// SPDX-License-Identifier: MIT
// HTTP/1.1: connections, limits, keys, CORS. Routes do the rest.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http_message.h"

namespace vl2 {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8080;                             // 0: any that is free
  std::vector<std::string> api_keys = {};      // none: everyone may ask
  std::vector<std::string> cors_origins = {};  // "*": any; none: no CORS
  std::size_t most_body_bytes = std::size_t{64} << 20;
  // Of all requests that are being read and looked at.
  std::size_t most_bodies_bytes = std::size_t{512} << 20;
  std::size_t most_connections = 512;
  int keep_alive_seconds = 75;
  // One line a request, without what was asked or answered.
  std::function<void(std::string_view line)> log = {};
  // Told about every request that was answered.
  std::function<void(const std::string& route, int status, double seconds)> observe = {};
};

class HttpServer {
 public:
  // Routes earlier in the list come first.
  HttpServer(HttpOptions options, std::vector<HttpRoute> routes);
  ~HttpServer();

  // Takes the port, which it returns. Throws Error{io} with the reason if it cannot.
  int bind();
  // Answers requests until stop(). Connections that are open then are waited for.
  void serve();
  // Connections end after the request they are at. May be called by any thread, serve() goes on.
  void close_when_idle();
  // serve() returns, now or as soon as it has begun. May be called by any other thread.
  void stop();

  // Connections that are answering a request.
  std::size_t busy_count() const noexcept;

 private:
  class Library;
  std::unique_ptr<Library> library_;
};

// Whether `given` is one of the keys, in a time that does not tell how much of it is right.
bool is_key(std::string_view given, const std::vector<std::string>& keys);

}  // namespace vl2
