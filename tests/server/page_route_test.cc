// SPDX-License-Identifier: MIT
#include "server/page_route.h"

#include <array>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

// "hello\n", compressed.
constexpr std::array<unsigned char, 26> kHello = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd,
    0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00};
const std::string_view kGzip(reinterpret_cast<const char*>(kHello.data()), kHello.size());

const std::array<PageFile, 3> kFiles = {{
    {"/", "text/html; charset=utf-8", "\"e1\"", kGzip},
    {"/assets/a-1.js", "text/javascript; charset=utf-8", "\"e2\"", kGzip},
    {"/assets/broken.js", "text/javascript; charset=utf-8", "\"e3\"", kGzip.substr(0, 15)},
}};

HttpRequest request_for(const std::string& path) {
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.accepts_gzip = true;
  return request;
}

HttpResponse ask(HttpRequest request, std::span<const PageFile> files = kFiles) {
  for (const HttpRoute& route : page_routes(files)) {
    const std::string_view pattern = route.path;
    const bool fits = pattern.ends_with('*')
                          ? request.path.starts_with(pattern.substr(0, pattern.size() - 1))
                          : request.path == pattern;
    if (fits) return route.handle(request);
  }
  throw ApiError("no route", {.status = 404});
}

TEST(PageRoute, SendsFilesCompressed) {
  const HttpResponse page = ask(request_for("/"));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(page.body, kGzip);
  EXPECT_THAT(page.headers, Contains(Pair("Content-Encoding", "gzip")));
  EXPECT_THAT(page.headers, Contains(Pair("ETag", "\"e1\"")));
}

TEST(PageRoute, ThePageIsAskedForAgainAndItsAssetsAreNot) {
  EXPECT_THAT(ask(request_for("/")).headers, Contains(Pair("Cache-Control", "no-cache")));
  EXPECT_THAT(ask(request_for("/assets/a-1.js")).headers,
              Contains(Pair("Cache-Control", HasSubstr("immutable"))));
}

TEST(PageRoute, SendsPlainTextToThoseWhoTakeNoGzip) {
  HttpRequest request = request_for("/");
  request.accepts_gzip = false;
  const HttpResponse page = ask(std::move(request));
  EXPECT_EQ(page.body, "hello\n");
  EXPECT_THAT(page.headers, Not(Contains(Pair("Content-Encoding", ::testing::_))));
  HttpRequest broken = request_for("/assets/broken.js");
  broken.accepts_gzip = false;
  EXPECT_EQ(refusal_of([&] { ask(std::move(broken)); }).status, 500);
}

TEST(PageRoute, SendsNothingToThoseWhoHaveIt) {
  HttpRequest request = request_for("/assets/a-1.js");
  request.if_none_match = "W/\"x\", \"e2\"";
  const HttpResponse page = ask(std::move(request));
  EXPECT_EQ(page.status, 304);
  EXPECT_EQ(page.body, "");
}

TEST(PageRoute, AllowsNoScriptOfOthers) {
  const HttpResponse page = ask(request_for("/"));
  EXPECT_THAT(page.headers, Contains(Pair("Content-Security-Policy",
                                          ::testing::AllOf(HasSubstr("default-src 'none'"),
                                                           HasSubstr("script-src 'self';"),
                                                           Not(HasSubstr("unsafe"))))));
  EXPECT_THAT(page.headers, Contains(Pair("X-Content-Type-Options", "nosniff")));
}

TEST(PageRoute, UnknownAssetsAreNotFound) {
  EXPECT_EQ(refusal_of([] { ask(request_for("/assets/none.js")); }).status, 404);
}

TEST(PageRoute, WithoutFilesAPlainPageSaysSo) {
  const HttpResponse page = ask(request_for("/"), {});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("built without its web page"));
  EXPECT_THAT(page.headers, Contains(Pair("Content-Security-Policy", ::testing::_)));
}

TEST(PageRoute, EverybodyMayHaveThePage) {
  for (const HttpRoute& route : page_routes(kFiles)) {
    EXPECT_TRUE(route.open) << route.path;
    EXPECT_EQ(route.method, "GET") << route.path;
  }
}

}  // namespace
}  // namespace vl2
