// SPDX-License-Identifier: MIT
// The HTTP floor over real sockets, with routes of the test's own.
#include "server/http_server.h"

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vl2/error.h"

#include "server/api_error.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A client that writes bytes and reads bytes.
class Socket {
 public:
  explicit Socket(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { close(socket_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // Until `end` was read, the server closes, or ten seconds have passed.
  std::string read_until(std::string_view end) const {
    std::string text;
    std::array<char, 4096> buffer;
    pollfd watched{socket_, POLLIN, 0};
    while (text.find(end) == std::string::npos && poll(&watched, 1, 10'000) == 1) {
      const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  std::string read_all() const { return read_until("\xff(never)"); }

 private:
  int socket_;
  bool connected_ = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpOptions options) {
    options.port = 0;
    options.most_body_bytes = 1000;
    std::vector<HttpRoute> routes = {
        {"GET", "/hello", [](HttpRequest&) { return HttpResponse{.body = "\"hello\""}; }},
        {"GET", "/open", [](HttpRequest&) { return HttpResponse{.body = "1"}; }, true},
        {"GET", "/rest/*", [](HttpRequest& request) { return HttpResponse{.body = request.path}; }},
        {"POST", "/echo", [](HttpRequest& request) { return HttpResponse{.body = request.body}; }},
        {"POST", "/throw",
         [](HttpRequest&) -> HttpResponse { throw std::runtime_error("secret"); }},
        {"GET", "/stream",
         [](HttpRequest&) {
           HttpResponse response;
           response.stream = [](ResponseStream& out) {
             out.write("one");
             out.write("two");
             return StreamEnd{};
           };
           return response;
         }},
        {"GET", "/wait", [this](HttpRequest& request) { return wait(request); }},
    };
    server_ = std::make_unique<HttpServer>(std::move(options), std::move(routes));
    port_ = server_->bind();
    thread_ = std::thread([this] { server_->serve(); });
  }
  ~HttpServerTest() override {
    server_->stop();
    thread_.join();
  }

  // Until the client goes.
  HttpResponse wait(HttpRequest& request) {
    const EventQueue nothing;
    waiting_ = true;
    gone_ = request.client->wait(nothing, 10'000) == ClientConnection::Wake::gone;
    return {.client_gone = true};
  }

  std::string ask(const std::string& text) {
    const Socket socket(port_);
    socket.send(text);
    return socket.read_all();
  }

  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  int port_ = 0;
  std::atomic<bool> waiting_ = false;
  std::atomic<bool> gone_ = false;
};

TEST_F(HttpServerTest, AnswersAndTellsARequestId) {
  start({});
  const std::string reply = ask("GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\nx-request-id: req_"));
  EXPECT_THAT(reply, HasSubstr("\r\n\r\n\"hello\""));
}

TEST_F(HttpServerTest, ConnectionsServeSeveralRequests) {
  start({});
  const Socket socket(port_);
  socket.send("GET /hello HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(socket.read_until("abc"), HasSubstr("\"hello\""));
}

TEST_F(HttpServerTest, KnowsPathsAndMethods) {
  start({});
  EXPECT_THAT(ask("GET /none HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 404 Not Found"));
  EXPECT_THAT(ask("DELETE /hello HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405 Method Not Allowed"));
  EXPECT_THAT(ask("HEAD /hello HTTP/1.1\r\nConnection: close\r\n\r\n"),
              Not(HasSubstr("\"hello\"")));
  EXPECT_THAT(ask("GET /rest/a/b HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("/rest/a/b"));
}

TEST_F(HttpServerTest, RefusesBodiesThatAreTooLarge) {
  start({});
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'a')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                  std::string(2000, 'a') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, TakesChunkedBodies) {
  start({});
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              HasSubstr("abcde"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoHttp) {
  start({});
  for (const std::string& bad :
       {std::string("hello\r\n\r\n"), "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n",
        std::string("POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        std::string("POST /echo HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na"),
        std::string("POST /echo HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                    "Content-Length: 1\r\n\r\na")}) {
    const std::string reply = ask(bad);
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 4")) << bad.substr(0, 60);
    EXPECT_THAT(reply, HasSubstr("{\"error\":{\"message\":")) << bad.substr(0, 60);
  }
}

TEST_F(HttpServerTest, BugsOfRoutesTellNothing) {
  start({});
  const std::string reply = ask("POST /throw HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(reply, Not(HasSubstr("secret")));
}

TEST_F(HttpServerTest, StreamsInChunks) {
  start({});
  EXPECT_THAT(ask("GET /stream HTTP/1.1\r\nConnection: close\r\n\r\n"),
              HasSubstr("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, NoticesThatAClientHasGone) {
  start({});
  {
    const Socket socket(port_);
    socket.send("GET /wait HTTP/1.1\r\n\r\n");
    while (!waiting_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (server_->busy_count() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(gone_);
}

TEST_F(HttpServerTest, WantsAKeyWhereOneIsSet) {
  start({.api_keys = {"other", "right"}});
  EXPECT_THAT(ask("GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 401 Unauthorized"));
  EXPECT_THAT(
      ask("GET /hello HTTP/1.1\r\nAuthorization: Bearer wrong\r\nConnection: close\r\n\r\n"),
      HasSubstr("\"code\":\"invalid_api_key\""));
  EXPECT_THAT(
      ask("GET /hello HTTP/1.1\r\nAuthorization: Bearer right\r\nConnection: close\r\n\r\n"),
      StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(ask("GET /open HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AnswersPreflightsOfAllowedPagesWithTheirHeaders) {
  start({.api_keys = {"k"}, .cors_origins = {"http://page"}});
  const std::string reply =
      ask("OPTIONS /echo HTTP/1.1\r\nOrigin: http://page\r\nConnection: close\r\n"
          "Access-Control-Request-Headers: authorization,x-stainless-os\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(reply, HasSubstr("Access-Control-Allow-Origin: http://page\r\n"));
  EXPECT_THAT(reply, HasSubstr("authorization,x-stainless-os"));
  EXPECT_THAT(ask("GET /open HTTP/1.1\r\nOrigin: http://other\r\nConnection: close\r\n\r\n"),
              Not(HasSubstr("Access-Control")));
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreRefused) {
  start({.most_connections = 1});
  const Socket first(port_);
  first.send("GET /hello HTTP/1.1\r\n\r\n");
  EXPECT_THAT(first.read_until("\"hello\""), HasSubstr("200 OK"));
  EXPECT_THAT(ask("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 503"));
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  start({});
  HttpServer second({.port = port_}, {});
  try {
    second.bind();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.what(), HasSubstr("Address already in use"));
  }
}

TEST(IsKey, ComparesWhole) {
  EXPECT_TRUE(is_key("abc", {"x", "abc"}));
  for (const char* wrong : {"", "ab", "abcd", "abcabc", "abd"})
    EXPECT_FALSE(is_key(wrong, {"abc"})) << wrong;
  EXPECT_FALSE(is_key("", {""}));
}

}  // namespace
}  // namespace vl2
