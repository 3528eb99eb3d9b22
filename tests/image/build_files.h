// SPDX-License-Identifier: MIT
// Writes tiny BMP and GIF files by hand, so that each field of theirs can be tested.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

namespace vl2::build {

using Bytes = std::vector<std::uint8_t>;
using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

// A loop, since g++ 12 warns wrongly about inserting a range into a short vector.
inline void append(Bytes& to, const Bytes& from) {
  for (const std::uint8_t byte : from) to.push_back(byte);
}

// Little-endian, `size` bytes; the bytes beyond the number are 0.
inline void append_number(Bytes& to, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i, value >>= 8) to.push_back(static_cast<std::uint8_t>(value));
}

struct Bmp {
  int width = 1;
  int height = 1;  // negative: from the top down
  int bits = 24;
  std::uint32_t compression = 0;
  std::vector<Colour> palette = {};
  std::vector<std::uint32_t> masks = {};  // after the header
  Bytes data = {};
};

inline Bytes bmp_file(const Bmp& bmp) {
  Bytes file = {'B', 'M'};
  const std::size_t pixels_at = 54 + 4 * (bmp.masks.size() + bmp.palette.size());
  append_number(file, 0, 8);
  append_number(file, pixels_at, 4);
  append_number(file, 40, 4);
  append_number(file, static_cast<std::uint32_t>(bmp.width), 4);
  append_number(file, static_cast<std::uint32_t>(bmp.height), 4);
  append_number(file, 1, 2);
  append_number(file, static_cast<std::uint32_t>(bmp.bits), 2);
  append_number(file, bmp.compression, 4);
  append_number(file, 0, 12);
  append_number(file, bmp.palette.size(), 4);
  append_number(file, 0, 4);
  for (const std::uint32_t mask : bmp.masks) append_number(file, mask, 4);
  for (const auto& [red, green, blue] : bmp.palette) append(file, {blue, green, red, 0});
  append(file, bmp.data);
  return file;
}

struct Gif {
  int screen_width = 1;
  int screen_height = 1;
  std::vector<Colour> palette = {};      // a power of two of colours, or none
  std::vector<Colour> own_palette = {};  // likewise
  std::optional<std::uint8_t> transparent = {};
  std::array<int, 4> frame = {0, 0, 1, 1};  // left, top, width, height
  Bytes codes = {};                         // from the code size on, with block lengths
};

// Pixels of 0 to 7 as codes of 4 bits: a clear code goes before each, so that none ever grows.
inline Bytes gif_codes(std::initializer_list<std::uint8_t> pixels) {
  Bytes packed;
  for (const std::uint8_t pixel : pixels)
    packed.push_back(static_cast<std::uint8_t>(8 | pixel << 4));
  Bytes codes = {3, static_cast<std::uint8_t>(packed.size())};
  append(codes, packed);
  append(codes, {1, 9, 0});  // the end code in a block of its own
  return codes;
}

inline std::uint8_t palette_flags(const std::vector<Colour>& palette) {
  if (palette.empty()) return 0;
  std::uint8_t exponent = 0;
  while (std::size_t{2} << exponent < palette.size()) ++exponent;
  return 0x80 | exponent;
}

inline Bytes gif_file(const Gif& gif) {
  Bytes file = {'G', 'I', 'F', '8', '9', 'a'};
  append_number(file, static_cast<std::uint32_t>(gif.screen_width), 2);
  append_number(file, static_cast<std::uint32_t>(gif.screen_height), 2);
  append(file, {palette_flags(gif.palette), 3, 0});
  for (const Colour& colour : gif.palette) append(file, {colour.begin(), colour.end()});
  if (gif.transparent) append(file, {0x21, 0xf9, 4, 1, 0, 0, *gif.transparent, 0});
  file.push_back(0x2c);
  for (const int number : gif.frame) append_number(file, static_cast<std::uint32_t>(number), 2);
  file.push_back(palette_flags(gif.own_palette));
  for (const Colour& colour : gif.own_palette) append(file, {colour.begin(), colour.end()});
  append(file, gif.codes);
  file.push_back(0x3b);
  return file;
}

}  // namespace vl2::build
