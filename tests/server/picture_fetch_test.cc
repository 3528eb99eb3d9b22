// SPDX-License-Identifier: MIT
// Fetching from a server of the test's own, whose address would be refused by default.
#include "server/picture_fetch.h"

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>

#include "refusal.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;

// Says why, too.
std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const ApiError& error) {
    return error.what();
  }
  return "nothing was refused";
}

class PictureFetch : public ::testing::Test {
 protected:
  PictureFetch() {
    server_.Get("/picture", [this](const httplib::Request&, httplib::Response& response) {
      ++asked_;
      response.set_content("picture", "image/png");
    });
    server_.Get("/none", [](const httplib::Request&, httplib::Response& response) {
      response.status = 404;
    });
    server_.Get("/large", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(std::string(2000, 'a'), "image/png");
    });
    server_.Get("/endless", [](const httplib::Request&, httplib::Response& response) {
      response.set_chunked_content_provider("image/png", [](std::size_t, httplib::DataSink& sink) {
        const std::string part(500, 'a');
        return sink.write(part.data(), part.size());
      });
    });
    server_.Get("/silent", [this](const httplib::Request&, httplib::Response&) {
      while (!closing_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    server_.Get(R"(/to/(.*))", [](const httplib::Request& request, httplib::Response& response) {
      response.set_redirect(request.get_param_value("url"));
    });
    server_.Get("/loop", [](const httplib::Request&, httplib::Response& response) {
      response.set_redirect("/loop");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    policy_.domains = {host()};
    policy_.most_bytes = 1000;
    policy_.may_connect = [](const sockaddr& address) { return address.sa_family == AF_INET; };
  }
  ~PictureFetch() override {
    closing_ = true;
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server_.stop();
    thread_.join();
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path) const { return "http://" + host() + path; }
  std::string fetch(const std::string& from) {
    const std::vector<std::uint8_t> bytes = PictureFetcher(policy_).fetch(from, "p[0]");
    return {bytes.begin(), bytes.end()};
  }
  ApiError::Details refusal(const std::string& from) {
    return refusal_of([&] { fetch(from); });
  }
  std::string message(const std::string& from) {
    return message_of([&] { fetch(from); });
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::atomic<bool> closing_ = false;
  std::atomic<int> asked_ = 0;
  FetchPolicy policy_;
};

TEST_F(PictureFetch, GetsThePicture) { EXPECT_EQ(fetch(url("/picture")), "picture"); }

TEST_F(PictureFetch, IsOffByDefaultAndNamesTheFlag) {
  policy_.domains.clear();
  EXPECT_EQ(refusal(url("/picture")).code, "unsupported_image_url");
  EXPECT_EQ(refusal(url("/picture")).param, "p[0]");
  EXPECT_THAT(message(url("/picture")), HasSubstr("--allow-image-domains"));
  EXPECT_EQ(asked_, 0);
}

TEST_F(PictureFetch, OtherHostsAreNotAsked) {
  policy_.domains = {"example.org"};
  EXPECT_EQ(refusal(url("/picture")).code, "unsupported_image_url");
  EXPECT_EQ(asked_, 0);
}

TEST_F(PictureFetch, WhatIsNoPlainUrlIsRefused) {
  for (const std::string& bad :
       {std::string("http://"), "http://user:secret@" + host() + "/picture",
        "ftp://" + host() + "/picture", std::string("file:///etc/passwd"),
        "http://" + host() + "\n/picture", std::string("http://[::1/picture")})
    EXPECT_EQ(refusal(bad).code, "invalid_image_url") << bad;
  EXPECT_EQ(asked_, 0);
}

TEST_F(PictureFetch, AnAllowedNameDoesNotOpenTheHouse) {
  policy_.may_connect = is_public_address;
  policy_.domains.push_back("localhost:" + std::to_string(port_));
  EXPECT_THAT(message(url("/picture")), HasSubstr("not one of the public internet"));
  EXPECT_EQ(refusal("http://localhost:" + std::to_string(port_) + "/picture").code,
            "image_fetch_failed");
  EXPECT_EQ(asked_, 0);
}

TEST_F(PictureFetch, RedirectsStayAmongTheAllowedHosts) {
  EXPECT_EQ(fetch(url("/to/x?url=/picture")), "picture");
  EXPECT_EQ(fetch(url("/to/x?url=" + url("/picture"))), "picture");
  asked_ = 0;
  EXPECT_EQ(refusal(url("/to/x?url=http://localhost:" + std::to_string(port_) + "/picture")).code,
            "unsupported_image_url");
  EXPECT_EQ(refusal(url("/to/x?url=file:///etc/passwd")).status, 400);
  EXPECT_THAT(message(url("/loop")), HasSubstr("more than 3 redirects"));
  EXPECT_EQ(asked_, 0);
}

TEST_F(PictureFetch, BytesAndTimeAreLimited) {
  EXPECT_EQ(refusal(url("/large")).code, "image_too_large");
  EXPECT_EQ(refusal(url("/endless")).code, "image_too_large");
  policy_.most_seconds = 0.2;
  EXPECT_THAT(message(url("/silent")), HasSubstr("took too long"));
}

TEST_F(PictureFetch, AllPicturesOfARequestShareTheBytes) {
  policy_.most_bytes_of_all = 10;
  PictureFetcher fetcher(policy_);
  EXPECT_EQ(fetcher.fetch(url("/picture"), "p").size(), 7U);
  EXPECT_EQ(refusal_of([&] { fetcher.fetch(url("/picture"), "p"); }).code, "image_too_large");
}

TEST_F(PictureFetch, OtherAnswersAreTold) {
  EXPECT_THAT(message(url("/none")), HasSubstr("status 404"));
  const std::string closed = "127.0.0.1:1";
  policy_.domains = {closed};
  EXPECT_EQ(refusal("http://" + closed + "/picture").code, "image_fetch_failed");
}

TEST_F(PictureFetch, ProxiesOfTheEnvironmentAreNotUsed) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_EQ(fetch(url("/picture")), "picture");
  unsetenv("http_proxy");
}

TEST(IsAllowedHost, MatchesWholeNames) {
  const std::vector<std::string> domains = {"a.org", "*.b.org", "c.org:8080", "*.d.org:8080"};
  for (const auto& [host, port] : std::vector<std::pair<std::string, int>>{{"a.org", 80},
                                                                           {"a.org", 443},
                                                                           {"x.b.org", 443},
                                                                           {"x.y.b.org", 80},
                                                                           {"c.org", 8080},
                                                                           {"x.d.org", 8080}})
    EXPECT_TRUE(is_allowed_host(host, port, domains)) << host << port;
  for (const auto& [host, port] : std::vector<std::pair<std::string, int>>{{"xa.org", 80},
                                                                           {"x.a.org", 80},
                                                                           {"a.org", 8080},
                                                                           {"b.org", 80},
                                                                           {"xb.org", 80},
                                                                           {"x.b.org", 22},
                                                                           {"c.org", 80},
                                                                           {"a.org.evil.com", 80},
                                                                           {"x.d.org", 80},
                                                                           {"", 80}})
    EXPECT_FALSE(is_allowed_host(host, port, domains)) << host << port;
}

}  // namespace
}  // namespace vl2
