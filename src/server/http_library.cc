// SPDX-License-Identifier: MIT
#include "server/http_library.h"

#include <cstring>
#include <random>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vl2/error.h"

#include "server/connection_threads.h"

namespace vl2 {
namespace {

// The request that this thread is at. The library's handlers are not told about connections.
thread_local Exchange* current = nullptr;

constexpr int kRetrySeconds = 1;
constexpr std::string_view kOllamaPaths = "/api/";

class SinkStream : public ResponseStream {
 public:
  explicit SinkStream(httplib::DataSink& sink) : sink_(sink) {}
  bool write(std::string_view bytes) override {
    return bytes.empty() || sink_.write(bytes.data(), bytes.size());
  }

 private:
  httplib::DataSink& sink_;
};

// The body of a response, on its connection's thread. False breaks the connection off, so that the
// client does not take what it has for the whole.
bool write_stream(const std::function<StreamEnd(ResponseStream&)>& stream,
                  httplib::DataSink& sink) {
  SinkStream out(sink);
  try {
    StreamEnd end = stream(out);
    current->note = std::move(end.note);
    current->client_gone = end.client_gone;
  } catch (const std::exception& error) {
    current->note = fmt::format("error=\"{}\"", error.what());
    return false;
  }
  sink.done();
  return !current->client_gone;
}

ApiError too_large(std::size_t most) {
  return ApiError(fmt::format("The body is larger than {} bytes.", most),
                  {.status = 413, .code = "request_too_large"});
}

// What the library found wrong with a request by itself.
ApiError library_error(int status, const Exchange& exchange) {
  if (exchange.stream->header_too_large())
    return ApiError("The headers are too large.", {.status = 431, .code = "headers_too_large"});
  if (exchange.stream->too_slow())
    return ApiError("The request took too long to arrive.",
                    {.status = 408, .code = "request_timeout"});
  if (status == 413) return ApiError("The body is too large.", {.status = 413});
  if (status == 414) return ApiError("The URL is too long.", {.status = 414});
  if (status >= 500) return internal_error("The server failed to answer.");
  return ApiError("This is no valid HTTP request.", {.status = status, .code = "invalid_http"});
}

// Of the header Accept-Encoding. What is refused by a weight of 0 is not worth more than the plain
// text that it gets then.
bool accepts_gzip(std::string_view encodings) {
  const std::size_t at = encodings.find("gzip");
  return at != encodings.npos && !encodings.substr(at + 4).starts_with(";q=0");
}

void set_socket_options(socket_t socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

HttpServer::Library::Library(HttpOptions options, std::vector<HttpRoute> routes)
    : options_(std::move(options)),
      routes_(std::move(routes)),
      bodies_(options_.most_bodies_bytes),
      interrupt_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      id_prefix_(fmt::format("req_{:08x}", std::random_device{}())) {
  if (interrupt_ < 0) throw Error(ErrorCode::io, "no file descriptor is left for the server");
  new_task_queue = [this] { return new ConnectionThreads(options_.most_connections); };
  // The library replaces the default options of its listening socket, which let two servers share a
  // port unnoticed.
  httplib::Server::set_socket_options(vl2::set_socket_options);
  set_keep_alive_timeout(options_.keep_alive_seconds);
  set_keep_alive_max_count(1'000'000);
  set_payload_max_length(options_.most_body_bytes);
  set_handlers();
}

HttpServer::Library::~Library() { close(interrupt_); }

int HttpServer::Library::bind() {
  constexpr int kBacklog = 1024;
  int port = options_.port;
  errno = 0;
  if (port == 0) {
    port = bind_to_any_port(options_.host);
  } else if (!bind_to_port(options_.host, port)) {
    port = -1;
  }
  if (port < 0) {
    throw Error(ErrorCode::io,
                fmt::format("cannot listen on {} port {}: {}", options_.host, options_.port,
                            errno != 0 ? std::strerror(errno) : "no such address"));
  }
  // The library's own backlog of 5 makes clients that come at once wait for seconds.
  ::listen(svr_sock_, kBacklog);
  return port;
}

void HttpServer::Library::close_when_idle() {
  closing_ = true;
  static_cast<void>(eventfd_write(interrupt_, 1));
}

bool HttpServer::Library::process_and_close_socket(socket_t socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  SocketStream stream(socket, limits_);
  if (ConnectionThreads::inside_task()) {
    const ClientConnection client(socket);
    serve_connection(stream, client);
  } else {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        "Content-Length: 0\r\n\r\n";
    stream.write(kBusy.data(), kBusy.size());
  }
  close(socket);
  return true;
}

void HttpServer::Library::serve_connection(SocketStream& stream, const ClientConnection& client) {
  while (stream.wait_for_request(interrupt_, options_.keep_alive_seconds)) {
    ++busy_;
    const bool goes_on = serve_request(stream, client);
    --busy_;
    if (!goes_on) return stream.linger();
  }
}

// False when the connection is to end.
bool HttpServer::Library::serve_request(SocketStream& stream, const ClientConnection& client) {
  Exchange exchange;
  exchange.stream = &stream;
  exchange.client = &client;
  exchange.id = fmt::format("{}_{}", id_prefix_, next_request_++);
  current = &exchange;
  stream.begin_header();
  bool asked_to_close = false;
  const bool written =
      process_request(stream, closing_, asked_to_close,
                      [&](httplib::Request& request) { set_up(request, exchange); });
  current = nullptr;
  if (exchange.status != 0) log(exchange);
  return written && !asked_to_close && !exchange.must_close() && !closing_;
}

void HttpServer::Library::set_handlers() {
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    return answer_early(request, response) ? HandlerResponse::Handled : HandlerResponse::Unhandled;
  });
  set_expect_100_continue_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return answer_early(request, response) ? response.status : 100;
      });
  // Every path is "/" by now: see set_up().
  Get("/",
      [this](const httplib::Request&, httplib::Response& response) { handle(nullptr, response); });
  Post("/", [this](const httplib::Request&, httplib::Response& response,
                   const httplib::ContentReader& body) { handle(&body, response); });
  set_error_handler(
      HandlerWithResponse([this](const httplib::Request&, httplib::Response& response) {
        if (!response.body.empty()) return HandlerResponse::Unhandled;
        current->broken = true;
        respond_error(library_error(response.status, *current), response);
        return HandlerResponse::Handled;
      }));
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) { finish_headers(response); });
}

// Routing is ours: the library would match regular expressions, whose recursion a long path could
// make overflow the stack. Ranges make no sense here, and what is worth compressing is so already.
void HttpServer::Library::set_up(httplib::Request& request, Exchange& exchange) const {
  exchange.method = request.method;
  exchange.path = std::exchange(request.path, "/");
  exchange.if_none_match = request.get_header_value("If-None-Match");
  exchange.accepts_gzip = accepts_gzip(request.get_header_value("Accept-Encoding"));
  request.ranges.clear();
  for (const char* name : {"Range", "Accept-Encoding"}) request.headers.erase(name);
  exchange.has_body =
      request.has_header("Transfer-Encoding") ||
      (request.has_header("Content-Length") && request.get_header_value("Content-Length") != "0");
  exchange.route = find_route(request.method, exchange.path);
  const std::string origin = request.get_header_value("Origin");
  for (const std::string& allowed : options_.cors_origins)
    if (!origin.empty() && (allowed == "*" || allowed == origin)) exchange.origin = origin;
  exchange.stream->begin_body();
}

const HttpRoute* HttpServer::Library::find_route(const std::string& method,
                                                 const std::string& path) const {
  // HEAD is GET without the body, which the library leaves out.
  const std::string& wanted = method == "HEAD" ? std::string("GET") : method;
  for (const HttpRoute& route : routes_) {
    const std::string_view pattern = route.path;
    const bool fits = pattern.ends_with('*')
                          ? path.starts_with(pattern.substr(0, pattern.size() - 1))
                          : path == pattern;
    if (fits && route.method == wanted) return &route;
  }
  return nullptr;
}

bool HttpServer::Library::answer_early(const httplib::Request& request,
                                       httplib::Response& response) {
  if (response.status > 0) return true;  // while it expected 100-continue
  if (answer_preflight(request, response)) return true;
  auto error = refusal(request, *current);
  if (!error) error = refusal_of_body(request);
  if (!error) return false;
  respond_error(*error, response);
  return true;
}

std::optional<ApiError> HttpServer::Library::refusal(const httplib::Request& request,
                                                     const Exchange& exchange) const {
  if (exchange.route == nullptr) {
    for (const char* other : {"GET", "POST", "DELETE"}) {
      if (find_route(other, exchange.path) == nullptr) continue;
      return ApiError(fmt::format("Method {} is not allowed here; use {}.", exchange.method, other),
                      {.status = 405, .code = "method_not_allowed"});
    }
    return ApiError(
        fmt::format("Unknown request URL: {} {}.", exchange.method, exchange.path.substr(0, 200)),
        {.status = 404, .code = "unknown_url"});
  }
  if (exchange.route->open || options_.api_keys.empty()) return {};
  constexpr std::string_view kScheme = "Bearer ";
  const std::string given = request.get_header_value("Authorization");
  if (given.starts_with(kScheme) &&
      is_key(std::string_view(given).substr(kScheme.size()), options_.api_keys))
    return {};
  return ApiError(given.empty() ? "You didn't provide an API key. Send it in a header: "
                                  "Authorization: Bearer KEY."
                                : "Incorrect API key provided.",
                  {.status = 401, .code = "invalid_api_key"});
}

std::optional<ApiError> HttpServer::Library::refusal_of_body(
    const httplib::Request& request) const {
  const auto unsupported = [](const std::string& message) {
    return ApiError(message, {.status = 415, .code = "unsupported_media_type"});
  };
  if (request.is_multipart_form_data()) return unsupported("Send the body as application/json.");
  const std::string encoding = request.get_header_value("Content-Encoding");
  if (!encoding.empty() && encoding != "identity")
    return unsupported("Send the body without Content-Encoding.");
  const bool chunked = request.has_header("Transfer-Encoding");
  if (request.get_header_value_count("Content-Length") > (chunked ? 0U : 1U))
    return ApiError("The body has two lengths.", {.code = "invalid_http"});
  const std::string length = request.get_header_value("Content-Length");
  if (length.size() > 18 || length.find_first_not_of("0123456789") != length.npos)
    return ApiError("Content-Length is no number.", {.code = "invalid_http"});
  if (!length.empty() && std::stoull(length) > options_.most_body_bytes)
    return too_large(options_.most_body_bytes);
  return {};
}

bool HttpServer::Library::answer_preflight(const httplib::Request& request,
                                           httplib::Response& response) const {
  if (request.method != "OPTIONS" || current->origin.empty()) return false;
  current->status = response.status = 204;
  response.set_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  // Clients of OpenAI send x-stainless-... headers, more of them with every version.
  const std::string asked = request.get_header_value("Access-Control-Request-Headers");
  response.set_header("Access-Control-Allow-Headers",
                      asked.empty() ? "authorization, content-type" : asked);
  response.set_header("Access-Control-Max-Age", "86400");
  return true;
}

void HttpServer::Library::handle(const httplib::ContentReader* body, httplib::Response& response) {
  Exchange& exchange = *current;
  try {
    HttpRequest request{exchange.method, exchange.path, {}, exchange.id, exchange.client};
    request.if_none_match = exchange.if_none_match;
    request.accepts_gzip = exchange.accepts_gzip;
    // Without a length the library would read until the client hangs up.
    if (body != nullptr && exchange.has_body) read_body(*body, request);
    respond(exchange.route->handle(request), response);
  } catch (const ApiError& error) {
    respond_error(error, response);
  } catch (const Error& error) {
    respond_error(api_error_of(error), response);
  } catch (const std::bad_alloc&) {
    respond_error(ApiError("There is not enough memory for this request.",
                           {.status = 503, .type = "server_error", .code = "out_of_memory"}),
                  response);
  } catch (const std::exception& error) {
    exchange.note = fmt::format("error=\"{}\"", error.what());
    respond_error(internal_error("The server failed to answer."), response);
  }
}

void HttpServer::Library::read_body(const httplib::ContentReader& reader, HttpRequest& request) {
  Exchange& exchange = *current;
  request.room = BodyRoom::Share(bodies_);
  std::string& body = request.body;
  bool large = false;
  bool busy = false;
  const bool read = reader([&](const char* bytes, std::size_t count) {
    large = body.size() + count > options_.most_body_bytes;
    busy = !large && !request.room.grow(count);
    if (large || busy) return false;
    body.append(bytes, count);
    return true;
  });
  if (large) throw too_large(options_.most_body_bytes);
  if (busy)
    throw ApiError("The server is reading too many large requests; try again.",
                   {.status = 503,
                    .type = "server_error",
                    .code = "overloaded",
                    .retry_after_seconds = kRetrySeconds});
  if (!read && exchange.stream->too_slow())
    throw ApiError("The request took too long to arrive.",
                   {.status = 408, .code = "request_timeout"});
  if (!read) throw ApiError("The body is incomplete.", {.code = "invalid_http"});
  exchange.body_read = true;
}

void HttpServer::Library::respond(HttpResponse from, httplib::Response& response) {
  Exchange& exchange = *current;
  exchange.client_gone = from.client_gone;
  exchange.status = response.status = from.status;
  exchange.note = std::move(from.note);
  for (auto& [name, value] : from.headers) response.set_header(name, value);
  if (!from.stream) return response.set_content(from.body, from.content_type);
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Accel-Buffering", "no");  // nginx shall pass it on at once
  response.set_chunked_content_provider(
      from.content_type, [stream = std::move(from.stream)](std::size_t, httplib::DataSink& sink) {
        return write_stream(stream, sink);
      });
}

void HttpServer::Library::respond_error(const ApiError& error, httplib::Response& response) const {
  current->status = response.status = error.status();
  if (current->note.empty()) current->note = fmt::format("code={}", error.details().code);
  const Json json = current->path.starts_with(kOllamaPaths) ? error.ollama_json() : error.json();
  response.set_content(json.dump(-1, ' ', false, Json::error_handler_t::replace),
                       "application/json");
  if (error.status() == 401) response.set_header("WWW-Authenticate", "Bearer");
  if (const auto seconds = error.details().retry_after_seconds)
    response.set_header("Retry-After", std::to_string(*seconds));
}

void HttpServer::Library::finish_headers(httplib::Response& response) const {
  const Exchange& exchange = *current;
  response.set_header("x-request-id", exchange.id);
  if (exchange.must_close()) response.set_header("Connection", "close");
  if (response.has_header("Connection")) response.headers.erase("Keep-Alive");
  if (!options_.cors_origins.empty()) response.set_header("Vary", "Origin");
  if (exchange.origin.empty()) return;
  response.set_header("Access-Control-Allow-Origin", exchange.origin);
  response.set_header("Access-Control-Expose-Headers", "x-request-id, retry-after");
}

void HttpServer::Library::log(const Exchange& exchange) const {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - exchange.start;
  const int status = exchange.client_gone ? 499 : exchange.status;
  if (options_.observe)
    options_.observe(exchange.route != nullptr ? exchange.route->path : "none", status,
                     seconds.count());
  if (!options_.log) return;
  // A path may hold anything; quotes and control characters are left out.
  std::string path;
  for (const char c : exchange.path.substr(0, 120))
    path += c > ' ' && c < '\x7f' && c != '"' ? c : '?';
  options_.log(fmt::format("request id={} method={} path={} status={} ms={:.1f}{}{}", exchange.id,
                           exchange.method.substr(0, 16), path, status, seconds.count() * 1e3,
                           exchange.note.empty() ? "" : " ", exchange.note));
}

}  // namespace vl2
