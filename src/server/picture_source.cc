// SPDX-License-Identifier: MIT
#include "server/picture_source.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "vl2/error.h"

#include "server/api_error.h"
#include "server/base64.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file://";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %20 and the like.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool whole = text[i] == '%' && i + 2 < text.size();
    const int high = whole ? hex_digit(text[i + 1]) : -1;
    const int low = whole ? hex_digit(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

ApiError too_many(const PicturePolicy& policy, const std::string& param) {
  return bad_request(fmt::format("A request may have at most {} pictures.", policy.most_pictures),
                     param, "too_many_images");
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

// The file that a file: URL names, if it is a regular file below the folder, links resolved.
std::optional<fs::path> file_below(std::string_view url, const fs::path& folder) {
  const std::string name = percent_decoded(url.substr(kFileScheme.size()));
  if (name.find('\0') != std::string::npos) return {};
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  if (error) return {};
  fs::path path = fs::canonical(root / name, error);
  if (error || !lies_below(path, root) || !fs::is_regular_file(path, error)) return {};
  return path;
}

}  // namespace

bool is_remote(const PictureSource& source) {
  return source.url.starts_with("http://") || source.url.starts_with("https://");
}

void fetch_remote(std::vector<ChatMessage>& messages, const PicturePolicy& policy) {
  PictureFetcher fetcher(policy.fetch);
  std::size_t fetched = 0;
  for (ChatMessage& message : messages) {
    for (PictureSource& picture : message.pictures) {
      if (!is_remote(picture)) continue;
      if (++fetched > policy.most_pictures) throw too_many(policy, picture.param);
      picture.bytes = fetcher.fetch(picture.url, picture.param);
    }
  }
}

Image PictureReader::read(const PictureSource& source) {
  if (source.width > 0)
    throw bad_request("A size without a picture is enough for input_tokens only; send a 'url'.",
                      source.param, "missing_image");
  const std::string_view url = source.url;
  if (const auto base64 = base64_of_data_url(url)) return read_base64(*base64, source.param);
  if (url.starts_with(kFileScheme)) return read_file(source);
  if (is_remote(source)) return decode(source.bytes, source.param);
  if (url.starts_with("data:"))
    throw bad_request("A data: URL must have the form data:image/png;base64,...", source.param,
                      "invalid_image_url");
  throw bad_request(
      fmt::format("Expected a data: URL with a picture, but got '{}'.", url.substr(0, 24)),
      source.param, "invalid_image_url");
}

Image PictureReader::read_size(const PictureSource& source) {
  if (source.width > 0) return Image{source.width, source.height, {}};
  return read(source);
}

Image PictureReader::read_base64(std::string_view text, const std::string& param) {
  if (text.size() / 4 * 3 > policy_.most_bytes + 2)
    throw bad_request(fmt::format("The picture has more than {} bytes.", policy_.most_bytes), param,
                      "image_too_large");
  const auto bytes = decode_base64(text);
  if (!bytes) throw bad_request("The picture's base64 is broken.", param, "invalid_base64");
  return decode(*bytes, param);
}

Image PictureReader::decode(std::span<const std::uint8_t> bytes, const std::string& param) {
  if (++pictures_ > policy_.most_pictures) throw too_many(policy_, param);
  try {
    Image image =
        decode_image(bytes, param, {.max_pixels = std::max<std::size_t>(pixels_left_, 1)});
    pixels_left_ -= std::min(pixels_left_, image.rgb.size() / 3);
    return image;
  } catch (const Error& error) {
    throw api_error_of(error, param);
  }
}

Image PictureReader::read_file(const PictureSource& source) {
  if (policy_.media_path.empty())
    throw bad_request("This server reads no files; it was started without --media-path.",
                      source.param, "unsupported_image_url");
  const auto path = file_below(source.url, policy_.media_path);
  if (!path)
    throw bad_request("There is no such picture below the server's --media-path.", source.param,
                      "image_not_found");
  std::ifstream file(*path, std::ios::binary);
  std::vector<std::uint8_t> bytes(policy_.most_bytes + 1);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > policy_.most_bytes)
    throw bad_request(fmt::format("The picture has more than {} bytes.", policy_.most_bytes),
                      source.param, "image_too_large");
  return decode(bytes, source.param);
}

}  // namespace vl2
