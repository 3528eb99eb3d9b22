// SPDX-License-Identifier: MIT
// The decoders behind vl2::decode_image (include/vl2/image.h), one file a format, and what they
// share. Each gives the pixels that Pillow 9.4 gives after convert("RGB").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vl2/image.h"

namespace vl2 {

enum class ImageFormat { jpeg, png, webp, gif, bmp };

// The format by the first bytes; empty for anything else.
std::optional<ImageFormat> sniff_format(std::span<const std::uint8_t> bytes);

// A picture file in memory. The caller keeps all three alive while it is decoded.
struct EncodedImage {
  std::span<const std::uint8_t> bytes;
  const std::string& name;  // what error messages call the picture
  const ImageLimits& limits;
};

// Throws Error{bad_image}: "cannot decode NAME: REASON".
[[noreturn]] void refuse(const EncodedImage& source, std::string_view reason);

// A black picture of this size. Every decoder calls it before it allocates anything that grows
// with the picture. Refuses sizes of zero and beyond the limits.
Image blank_image(const EncodedImage& source, std::uint64_t width, std::uint64_t height);

// 256 colours. Entries that a file does not define are grey of their own index, as in Pillow, so
// every index is a colour.
class Palette {
 public:
  using Colour = std::array<std::uint8_t, 3>;

  Palette();
  void set(std::size_t index, Colour colour) { colours_.at(index) = colour; }
  Colour operator[](std::uint8_t index) const { return colours_[index]; }

 private:
  std::array<Colour, 256> colours_;
};

// Each throws Error{bad_image} for anything that is not a whole, well-formed picture.
Image decode_jpeg(const EncodedImage& source);
Image decode_png(const EncodedImage& source);
Image decode_webp(const EncodedImage& source);
Image decode_gif(const EncodedImage& source);
Image decode_bmp(const EncodedImage& source);

}  // namespace vl2
