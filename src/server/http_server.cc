// SPDX-License-Identifier: MIT
#include "server/http_server.h"

#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

#include "vl2/error.h"

#include "server/http_library.h"

namespace vl2 {

HttpServer::HttpServer(HttpOptions options, std::vector<HttpRoute> routes)
    : library_(std::make_unique<Library>(std::move(options), std::move(routes))) {}

HttpServer::~HttpServer() = default;

int HttpServer::bind() { return library_->bind(); }

void HttpServer::serve() {
  if (!library_->listen_after_bind())
    throw Error(ErrorCode::io, "the server's socket failed while it waited for connections");
}

void HttpServer::close_when_idle() { library_->close_when_idle(); }

void HttpServer::stop() {
  library_->close_when_idle();
  // Before it listens, the library would not hear it.
  while (!library_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  library_->stop();
}

std::size_t HttpServer::busy_count() const noexcept { return library_->busy_count(); }

bool is_key(std::string_view given, const std::vector<std::string>& keys) {
  bool found = false;
  for (const std::string& key : keys) {
    if (key.empty()) continue;
    // As many steps as `given` is long, whatever the key is.
    std::size_t difference = given.size() ^ key.size();
    for (std::size_t i = 0; i < given.size(); ++i)
      difference |= static_cast<unsigned char>(given[i] ^ key[i % key.size()]);
    found |= difference == 0;
  }
  return found;
}

}  // namespace vl2
