// SPDX-License-Identifier: MIT
// The part of HttpServer that speaks to cpp-httplib.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <httplib.h>

#include "server/api_error.h"
#include "server/body_room.h"
#include "server/http_server.h"
#include "server/socket_stream.h"

namespace vl2 {

// A request on a connection, from its first byte to the end of its response.
struct Exchange {
  SocketStream* stream = nullptr;
  const ClientConnection* client = nullptr;
  const HttpRoute* route = nullptr;
  std::string method;
  std::string path;
  std::string id;
  std::string origin;  // of the page that asks, if CORS allows it
  std::string if_none_match;
  bool accepts_gzip = false;
  std::string note;
  bool has_body = false;
  bool body_read = false;  // to its end
  bool client_gone = false;
  bool broken = false;  // no valid HTTP: what follows cannot be told from its rest
  int status = 0;
  bool must_close() const noexcept { return broken || client_gone || (has_body && !body_read); }
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

// httplib::Server with connections of our own: its limits on headers, bodies and time, and its
// ignorance of clients that leave, would not do for strangers.
class HttpServer::Library : public httplib::Server {
 public:
  Library(HttpOptions options, std::vector<HttpRoute> routes);
  ~Library() override;

  int bind();
  void close_when_idle();
  std::size_t busy_count() const noexcept { return busy_; }

 private:
  bool process_and_close_socket(socket_t socket) override;
  void serve_connection(SocketStream& stream, const ClientConnection& client);
  bool serve_request(SocketStream& stream, const ClientConnection& client);

  void set_handlers();
  void set_up(httplib::Request& request, Exchange& exchange) const;
  // Answers what needs no body: refusals, CORS. True when it did.
  bool answer_early(const httplib::Request& request, httplib::Response& response);
  std::optional<ApiError> refusal(const httplib::Request& request, const Exchange& exchange) const;
  std::optional<ApiError> refusal_of_body(const httplib::Request& request) const;
  bool answer_preflight(const httplib::Request& request, httplib::Response& response) const;
  const HttpRoute* find_route(const std::string& method, const std::string& path) const;
  void handle(const httplib::ContentReader* body, httplib::Response& response);
  void read_body(const httplib::ContentReader& reader, HttpRequest& request);
  void respond(HttpResponse from, httplib::Response& response);
  void respond_error(const ApiError& error, httplib::Response& response) const;
  void finish_headers(httplib::Response& response) const;
  void log(const Exchange& exchange) const;

  HttpOptions options_;
  std::vector<HttpRoute> routes_;
  BodyRoom bodies_;
  SocketLimits limits_;
  int interrupt_;  // an eventfd, readable once idle connections shall close
  std::atomic<bool> closing_ = false;
  std::atomic<std::size_t> busy_ = 0;
  std::atomic<std::uint64_t> next_request_ = 1;
  std::string id_prefix_;  // tells this process's requests from those of earlier ones
};

}  // namespace vl2
