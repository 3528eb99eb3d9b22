// SPDX-License-Identifier: MIT
// Pictures from the network: off unless the server was told which hosts to trust, and never from
// addresses that are not public, whatever names say and wherever redirects lead.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/network_address.h"

namespace vl2 {

struct FetchPolicy {
  // "example.org", with all below it "*.example.org", with another port than 80 and 443
  // "example.org:8443". None: nothing is fetched.
  std::vector<std::string> domains = {};
  std::size_t most_bytes = std::size_t{32} << 20;  // of one picture
  std::size_t most_bytes_of_all = std::size_t{64} << 20;
  double most_seconds = 20;  // for all pictures of a request together
  int most_redirects = 3;
  // Asked about every address before it is connected to, so that a name which resolves to
  // something else by then gains nothing.
  std::function<bool(const sockaddr& address)> may_connect = is_public_address;
};

// Fetches the pictures of one request. Any number of threads, an object each.
class PictureFetcher {
 public:
  // `policy` is borrowed.
  explicit PictureFetcher(const FetchPolicy& policy);

  // The bytes behind an http: or https: URL. Throws ApiError 400 about `param`.
  std::vector<std::uint8_t> fetch(const std::string& url, const std::string& param);

 private:
  using Clock = std::chrono::steady_clock;
  const FetchPolicy& policy_;
  std::size_t bytes_left_;
  Clock::time_point deadline_;
};

// Whether a host (in lower case) and port are among the domains.
bool is_allowed_host(const std::string& host, int port, const std::vector<std::string>& domains);

}  // namespace vl2
