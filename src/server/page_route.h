// SPDX-License-Identifier: MIT
// The web page: what web/ was built to, compressed and embedded in the program.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "server/http_message.h"

namespace vl2 {

struct PageFile {
  std::string_view path;  // "/" or "/assets/NAME-HASH.EXTENSION"
  std::string_view type;  // as told in Content-Type
  std::string_view etag;  // with its quotes
  std::string_view gzip;
};

// What the build embedded; nothing where it could not build the page.
std::span<const PageFile> page_files() noexcept;

// "/" and what it loads, for everyone: files hold no secrets, and the page has to be there to ask
// for a key. Without files "/" is a plain page that says so. Files are borrowed.
std::vector<HttpRoute> page_routes(std::span<const PageFile> files = page_files());

}  // namespace vl2
