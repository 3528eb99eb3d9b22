// SPDX-License-Identifier: MIT
// Pictures of requests: from URLs to pixels, within limits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "vl2/image.h"

#include "server/chat_request.h"
#include "server/picture_fetch.h"

namespace vl2 {

struct PicturePolicy {
  std::size_t most_pictures = 32;                  // of a request
  std::size_t most_bytes = std::size_t{32} << 20;  // of one picture's file
  std::size_t most_pixels = 64'000'000;            // of all pictures of a request together
  std::filesystem::path media_path = {};  // file: URLs may name what lies below; empty: none
  FetchPolicy fetch = {};
};

// The picture lies in the network.
bool is_remote(const PictureSource& source);

// Fetches the remote pictures of one request. Throws ApiError 400 naming the part.
void fetch_remote(std::vector<ChatMessage>& messages, const PicturePolicy& policy);

// Decodes the pictures of one request. Any number of threads, an object each.
class PictureReader {
 public:
  explicit PictureReader(const PicturePolicy& policy)
      : policy_(policy), pixels_left_(policy.most_pixels) {}

  // Remote pictures must have been fetched. Throws ApiError 400 naming the part for everything that
  // is no picture it may read.
  Image read(const PictureSource& source);
  // As read(), but where only a size was told, a picture of that size without pixels.
  Image read_size(const PictureSource& source);

  // From base64 without a URL around it.
  Image read_base64(std::string_view text, const std::string& param);

 private:
  Image decode(std::span<const std::uint8_t> bytes, const std::string& param);
  Image read_file(const PictureSource& source);

  const PicturePolicy& policy_;
  std::size_t pixels_left_;
  std::size_t pictures_ = 0;
};

}  // namespace vl2
