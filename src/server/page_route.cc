// SPDX-License-Identifier: MIT
#include "server/page_route.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "server/api_error.h"

namespace vl2 {
namespace {

// No script but ours, nothing from elsewhere, no frame around the page; texts become elements by
// way of the DOM alone, and the one worker comes from a place that a policy names.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types vl2-worker";

constexpr std::string_view kNoPage =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>vl2</title>\n"
    "<h1>vl2 is running</h1>\n"
    "<p>This program was built without its web page, because node and npm were missing, or npm "
    "could not fetch the page's packages. Install <code>npm</code> and build again.</p>\n"
    "<p>The API is there all the same: <code>POST /v1/chat/completions</code>, "
    "<a href=\"/v1/models\">/v1/models</a>, <a href=\"/health\">/health</a>, "
    "<a href=\"/metrics\">/metrics</a>.</p>\n</html>\n";

void add_security_headers(HttpResponse& response) {
  response.headers.insert(response.headers.end(),
                          {{"Content-Security-Policy", std::string(kContentPolicy)},
                           {"X-Content-Type-Options", "nosniff"},
                           {"Referrer-Policy", "no-referrer"},
                           {"Cross-Origin-Opener-Policy", "same-origin"},
                           {"Cross-Origin-Resource-Policy", "same-origin"}});
}

// For the rare client that takes no gzip.
std::string unzipped(std::string_view gzip) {
  constexpr int kGzip = 16 + MAX_WBITS;
  z_stream stream = {};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw internal_error("There is not enough memory.");
  std::string text(gzip);
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  std::string plain;
  std::array<char, 1 << 14> buffer;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    plain.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END) throw internal_error("A file of the page is broken.");
  return plain;
}

HttpResponse respond_with(const PageFile& file, const HttpRequest& request) {
  HttpResponse response;
  response.content_type = file.type;
  // Names of assets change with what is in them.
  response.headers = {
      {"ETag", std::string(file.etag)},
      {"Cache-Control", file.path == "/" ? "no-cache" : "public, max-age=31536000, immutable"},
      {"Vary", "Accept-Encoding"}};
  add_security_headers(response);
  if (request.if_none_match.find(file.etag) != std::string::npos) {
    response.status = 304;
  } else if (request.accepts_gzip) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file.gzip;
  } else {
    response.body = unzipped(file.gzip);
  }
  return response;
}

HttpResponse respond_without_page() {
  HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Cache-Control", "no-cache"}};
  add_security_headers(response);
  response.body = kNoPage;
  return response;
}

HttpResponse show(std::span<const PageFile> files, const HttpRequest& request) {
  const auto file = std::ranges::find(files, request.path, &PageFile::path);
  if (file != files.end()) return respond_with(*file, request);
  if (request.path == "/") return respond_without_page();
  throw ApiError(fmt::format("The page has no file {}.", request.path.substr(0, 200)),
                 {.status = 404, .code = "unknown_url"});
}

}  // namespace

std::vector<HttpRoute> page_routes(std::span<const PageFile> files) {
  const auto handle = [files](HttpRequest& request) { return show(files, request); };
  return {{"GET", "/", handle, true}, {"GET", "/assets/*", handle, true}};
}

}  // namespace vl2
