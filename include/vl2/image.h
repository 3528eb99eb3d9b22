// SPDX-License-Identifier: MIT
// Pictures as the model takes them: 8-bit RGB, as Pillow's `Image.open(f).convert("RGB")` gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vl2 {

struct Image {
  int width = 0;                  // pixels
  int height = 0;                 // pixels
  std::vector<std::uint8_t> rgb;  // [height][width][3], row by row without padding
  std::string name = {};          // what errors call it, a file's path; may be empty
};

// Limits for pictures from strangers. The default is the number of pixels beyond which Pillow
// refuses a picture as a decompression bomb.
struct ImageLimits {
  std::size_t max_pixels = 178'956'970;
};

// Decodes JPEG, PNG, WebP, GIF (first frame) or BMP, recognised by content, not by name.
// EXIF orientation, colour profiles and transparency are ignored, as the original does.
// `name` is what error messages call the picture. Throws Error{bad_image}.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                   const ImageLimits& limits = {});

// Reads and decodes a file. Throws Error{not_found, io, bad_image} naming the file.
Image load_image(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace vl2
