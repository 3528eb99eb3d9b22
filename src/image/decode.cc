// SPDX-License-Identifier: MIT
#include "image/decode.h"

#include <algorithm>
#include <limits>
#include <new>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/mapped_file.h"

namespace vl2 {
namespace {

bool has_at(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view expected) {
  return bytes.size() >= offset + expected.size() &&
         std::equal(expected.begin(), expected.end(), bytes.data() + offset,
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

}  // namespace

std::optional<ImageFormat> sniff_format(std::span<const std::uint8_t> bytes) {
  if (has_at(bytes, 0, "\xff\xd8\xff")) return ImageFormat::jpeg;
  if (has_at(bytes, 0, "\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  if (has_at(bytes, 0, "RIFF") && has_at(bytes, 8, "WEBP")) return ImageFormat::webp;
  if (has_at(bytes, 0, "GIF87a") || has_at(bytes, 0, "GIF89a")) return ImageFormat::gif;
  if (has_at(bytes, 0, "BM")) return ImageFormat::bmp;
  return std::nullopt;
}

void refuse(const EncodedImage& source, std::string_view reason) {
  throw Error(ErrorCode::bad_image, fmt::format("cannot decode {}: {}", source.name, reason));
}

Image blank_image(const EncodedImage& source, std::uint64_t width, std::uint64_t height) {
  constexpr std::uint64_t kLargestSide = std::numeric_limits<int>::max();
  if (width == 0 || height == 0)
    refuse(source, fmt::format("it has no pixels ({} x {})", width, height));
  // Both sides fit 31 bits here, so that the product cannot overflow.
  if (width > kLargestSide || height > kLargestSide || width * height > source.limits.max_pixels) {
    refuse(source, fmt::format("{} x {} pixels are more than the {} allowed; scale it down", width,
                               height, source.limits.max_pixels));
  }
  Image image{static_cast<int>(width), static_cast<int>(height), {}};
  try {
    image.rgb.resize(width * height * 3);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("cannot decode {}: there is no memory for {} x {} pixels", source.name,
                            width, height));
  }
  return image;
}

Palette::Palette() {
  for (std::size_t i = 0; i < colours_.size(); ++i) colours_[i].fill(static_cast<std::uint8_t>(i));
}

namespace {

Image decode_known(const EncodedImage& source) {
  const std::span<const std::uint8_t> bytes = source.bytes;
  if (bytes.empty()) refuse(source, "it is empty");
  const auto format = sniff_format(bytes);
  if (!format) refuse(source, "it is not a JPEG, PNG, WebP, GIF or BMP picture");
  switch (*format) {
    case ImageFormat::jpeg:
      return decode_jpeg(source);
    case ImageFormat::png:
      return decode_png(source);
    case ImageFormat::webp:
      return decode_webp(source);
    case ImageFormat::gif:
      return decode_gif(source);
    case ImageFormat::bmp:
      return decode_bmp(source);
  }
  refuse(source, "its format is unknown");
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                   const ImageLimits& limits) {
  Image image = decode_known({bytes, name, limits});
  image.name = name;
  return image;
}

Image load_image(const std::filesystem::path& path, const ImageLimits& limits) {
  const MappedFile file(path);
  return decode_image(file.bytes(), path.string(), limits);
}

}  // namespace vl2
