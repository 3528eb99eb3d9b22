// SPDX-License-Identifier: MIT
#include "server/picture_fetch.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "server/api_error.h"

namespace vl2 {
namespace {

constexpr int kHttpPort = 80;
constexpr int kHttpsPort = 443;

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct CloseTransfer {
  void operator()(CURL* transfer) const { curl_easy_cleanup(transfer); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

// A URL taken apart by the library that will go there, so that both mean the same host.
class Url {
 public:
  // Nothing for what is no http: or https: URL, or has a user in it.
  static std::optional<Url> parse(const std::string& text) {
    Url url;
    if (url.parts_ == nullptr || curl_url_set(url.parts_.get(), CURLUPART_URL, text.c_str(),
                                              CURLU_DISALLOW_USER) != CURLUE_OK)
      return {};
    url.scheme_ = url.part(CURLUPART_SCHEME);
    url.host_ = url.part(CURLUPART_HOST);
    for (char& c : url.host_) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (url.host_.ends_with('.')) url.host_.pop_back();
    if ((url.scheme_ != "http" && url.scheme_ != "https") || url.host_.empty()) return {};
    return url;
  }

  CURLU* parts() const { return parts_.get(); }
  const std::string& host() const { return host_; }
  bool is_secure() const { return scheme_ == "https"; }
  int port() const { return std::atoi(part(CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str()); }

 private:
  Url() : parts_(curl_url()) {}
  std::string part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(parts_.get(), which, &text, flags) != CURLUE_OK) return {};
    return std::unique_ptr<char, FreeText>(text).get();
  }

  std::unique_ptr<CURLU, CloseUrl> parts_;
  std::string scheme_;
  std::string host_;
};

// One request of ours and what came back.
struct Transfer {
  const FetchPolicy& policy;
  std::size_t most_bytes;
  std::vector<std::uint8_t> bytes = {};
  bool too_large = false;
  bool address_refused = false;
};

std::size_t take_bytes(char* bytes, std::size_t, std::size_t count, void* pointer) {
  auto& transfer = *static_cast<Transfer*>(pointer);
  transfer.too_large = count > transfer.most_bytes - transfer.bytes.size();
  if (transfer.too_large) return 0;
  try {
    transfer.bytes.insert(transfer.bytes.end(), bytes, bytes + count);
  } catch (const std::bad_alloc&) {  // the caller is no C++
    transfer.too_large = true;
    return 0;
  }
  return count;
}

curl_socket_t open_socket(void* pointer, curlsocktype purpose, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(pointer);
  if (purpose != CURLSOCKTYPE_IPCXN || !transfer.policy.may_connect(address->addr)) {
    transfer.address_refused = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void start_library() {
  static std::once_flag started;
  std::call_once(started, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct Response {
  CURLcode result = CURLE_OK;
  long status = 0;
  std::string redirect;  // absolute, if there is one
};

Response run(const Url& url, Transfer& transfer, std::chrono::milliseconds time) {
  start_library();
  const std::unique_ptr<CURL, CloseTransfer> handle(curl_easy_init());
  if (handle == nullptr) return {CURLE_OUT_OF_MEMORY, 0, {}};
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_CURLU, url.parts());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // A proxy of the environment would connect for us, wherever it likes.
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(time.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "vl2.cpp");
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  Response response;
  response.result = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  const char* redirect = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) response.redirect = redirect;
  return response;
}

bool is_redirect(long status) {
  constexpr std::array kRedirects = {301L, 302L, 303L, 307L, 308L};
  return std::ranges::find(kRedirects, status) != kRedirects.end();
}

std::string why_failed(const Url& url, const Transfer& transfer, const Response& response) {
  const std::string host = url.host().substr(0, 100);
  if (transfer.address_refused)
    return fmt::format("The address of '{}' is not one of the public internet.", host);
  if (response.result == CURLE_OPERATION_TIMEDOUT)
    return fmt::format("'{}' took too long to send the picture.", host);
  if (response.result != CURLE_OK)
    return fmt::format("The picture could not be fetched from '{}': {}.", host,
                       curl_easy_strerror(response.result));
  return fmt::format("'{}' answered with status {} instead of a picture.", host, response.status);
}

}  // namespace

bool is_allowed_host(const std::string& host, int port, const std::vector<std::string>& domains) {
  const std::string with_port = fmt::format("{}:{}", host, port);
  const bool usual_port = port == kHttpPort || port == kHttpsPort;
  return std::ranges::any_of(domains, [&](const std::string& domain) {
    if (domain.starts_with("*.")) {
      const std::string_view below = std::string_view(domain).substr(1);
      return (usual_port && host.ends_with(below)) || with_port.ends_with(below);
    }
    return (usual_port && host == domain) || with_port == domain;
  });
}

PictureFetcher::PictureFetcher(const FetchPolicy& policy)
    : policy_(policy),
      bytes_left_(policy.most_bytes_of_all),
      deadline_(Clock::now() +
                std::chrono::milliseconds(static_cast<std::int64_t>(policy.most_seconds * 1e3))) {}

std::vector<std::uint8_t> PictureFetcher::fetch(const std::string& text, const std::string& param) {
  const auto fail = [&](const std::string& why, const char* code = "image_fetch_failed") {
    return bad_request(why, param, code);
  };
  if (policy_.domains.empty())
    throw fail(
        "This server does not fetch pictures from the network, unless it is started with "
        "--allow-image-domains; send a data: URL (data:image/png;base64,...).",
        "unsupported_image_url");
  std::string next = text;
  bool was_secure = false;
  for (int redirects = 0; redirects <= policy_.most_redirects; ++redirects) {
    const std::optional<Url> url = Url::parse(next);
    if (!url) throw fail("This is no URL of a picture.", "invalid_image_url");
    if (!is_allowed_host(url->host(), url->port(), policy_.domains))
      throw fail(fmt::format("The host '{}' with port {} is not among this server's "
                             "--allow-image-domains.",
                             url->host().substr(0, 100), url->port()),
                 "unsupported_image_url");
    if (was_secure && !url->is_secure()) throw fail("A redirect leaves https.");
    was_secure = url->is_secure();

    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) throw fail("The request's pictures took too long to fetch.");
    Transfer transfer{policy_, std::min(policy_.most_bytes, bytes_left_)};
    const Response response = run(*url, transfer, left);
    if (transfer.too_large)
      throw fail(fmt::format("The picture has more than {} bytes.", transfer.most_bytes),
                 "image_too_large");
    if (response.result != CURLE_OK) throw fail(why_failed(*url, transfer, response));
    bytes_left_ -= transfer.bytes.size();
    if (response.status == 200) return std::move(transfer.bytes);
    if (!is_redirect(response.status) || response.redirect.empty())
      throw fail(why_failed(*url, transfer, response));
    next = response.redirect;
  }
  throw fail(fmt::format("The picture was behind more than {} redirects.", policy_.most_redirects));
}

}  // namespace vl2
