// SPDX-License-Identifier: MIT
// BMP: 1, 4 and 8 bits with a palette, plain or run-length coded; 16, 24 and 32 bits, with or
// without bit fields; rows from the bottom up or from the top down; headers of OS/2 and Windows.
//
// Pillow 9.4 misreads some well-formed files: run-length data with moves, empty rows, odd stretches
// of 4 bits or an early end, and a palette of black and white at 4 or 8 bits. Here they are read as
// the format says.
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include <fmt/format.h>

#include "image/byte_reader.h"
#include "image/decode.h"

namespace vl2 {
namespace {

constexpr std::uint32_t kFileHeaderBytes = 14;
constexpr std::uint32_t kOs2HeaderBytes = 12;      // the oldest: 16-bit sizes, 3-byte colours
constexpr std::uint32_t kWindowsHeaderBytes = 40;  // those of 52 bytes and more hold masks as well

enum class Compression : std::uint32_t { none = 0, rle8 = 1, rle4 = 2, bit_fields = 3 };

// Where one channel stands in a pixel of 16, 24 or 32 bits.
class BitField {
 public:
  explicit BitField(std::uint32_t mask)
      : mask_(mask), shift_(mask == 0 ? 0U : static_cast<unsigned>(std::countr_zero(mask))) {}

  // The channel widened to 8 bits: in proportion, rounded down. A missing channel is 0.
  std::uint8_t of(std::uint32_t pixel) const {
    const std::uint64_t largest = mask_ >> shift_;
    if (largest == 0) return 0;
    return static_cast<std::uint8_t>(std::uint64_t{(pixel & mask_) >> shift_} * 255 / largest);
  }

 private:
  std::uint32_t mask_;
  unsigned shift_;
};

struct BmpLayout {
  std::uint32_t header_bytes = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool top_down = false;
  unsigned bits = 0;
  Compression compression = Compression::none;
  std::uint32_t colours = 0;
  std::array<std::uint32_t, 3> masks{};  // red, green, blue
  Palette palette;
};

void read_windows_header(ByteReader& reader, BmpLayout& layout) {
  layout.width = reader.u32();
  const std::uint32_t height = reader.u32();
  layout.top_down = static_cast<std::int32_t>(height) < 0;
  layout.height = layout.top_down ? 0U - height : height;
  reader.skip(2);  // planes
  layout.bits = reader.u16();
  layout.compression = static_cast<Compression>(reader.u32());
  reader.skip(12);  // bytes of pixel data, resolution
  layout.colours = reader.u32();
  reader.skip(4);  // important colours
}

void check_combination(const EncodedImage& source, const BmpLayout& layout) {
  const unsigned bits = layout.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
    refuse(source, fmt::format("BMP of {} bits a pixel is unknown", bits));
  bool known = false;
  switch (layout.compression) {
    case Compression::none:
      known = true;
      break;
    case Compression::rle8:
      known = bits == 8;
      break;
    case Compression::rle4:
      known = bits == 4;
      break;
    case Compression::bit_fields:
      known = bits >= 16;
      break;
  }
  if (!known) {
    refuse(source, fmt::format("BMP compression {} of {} bits a pixel is unknown",
                               static_cast<std::uint32_t>(layout.compression), bits));
  }
}

void choose_masks(ByteReader& reader, const EncodedImage& source, BmpLayout& layout) {
  if (layout.bits < 16) return;
  layout.masks = {0xff0000, 0xff00, 0xff};
  if (layout.compression != Compression::bit_fields) {
    if (layout.bits == 16) layout.masks = {0x7c00, 0x3e0, 0x1f};
    return;
  }
  // They are the last fields of a longer header and follow the shortest one.
  reader.seek(kFileHeaderBytes + kWindowsHeaderBytes);
  std::array<std::uint32_t, 3> masks{};
  for (auto& mask : masks) mask = reader.u32();
  if (masks == std::array<std::uint32_t, 3>{}) return;  // Pillow takes all zeros for the usual ones
  for (const std::uint32_t mask : masks) {
    const std::uint32_t low = mask == 0 ? 0 : mask >> std::countr_zero(mask);
    if ((low & (low + 1)) != 0) refuse(source, "a BMP bit field has a hole");
  }
  layout.masks = masks;
}

void read_palette(ByteReader& reader, const EncodedImage& source, BmpLayout& layout) {
  if (layout.bits > 8) return;
  if (layout.colours > 65536) refuse(source, "its BMP palette is too large");
  const std::size_t entry_bytes = layout.header_bytes == kOs2HeaderBytes ? 3 : 4;
  const auto bytes = reader.take(layout.colours * entry_bytes);
  for (std::size_t i = 0; i < std::min<std::size_t>(layout.colours, 256); ++i) {
    const auto entry = bytes.subspan(i * entry_bytes, 3);
    layout.palette.set(i, {entry[2], entry[1], entry[0]});
  }
}

// Leaves the reader at the first byte of the pixels.
BmpLayout read_layout(ByteReader& reader, const EncodedImage& source) {
  BmpLayout layout;
  reader.skip(10);  // "BM", file size, reserved
  std::size_t pixels_at = reader.u32();
  layout.header_bytes = reader.u32();
  if (layout.header_bytes == kOs2HeaderBytes) {
    layout.width = reader.u16();
    layout.height = reader.u16();
    reader.skip(2);  // planes
    layout.bits = reader.u16();
  } else if (layout.header_bytes >= kWindowsHeaderBytes && layout.header_bytes <= 124) {
    read_windows_header(reader, layout);
  } else {
    refuse(source, fmt::format("a BMP header of {} bytes is unknown", layout.header_bytes));
  }
  check_combination(source, layout);
  if (layout.colours == 0 && layout.bits <= 8) layout.colours = 1U << layout.bits;

  reader.seek(kFileHeaderBytes + layout.header_bytes);
  choose_masks(reader, source, layout);
  read_palette(reader, source, layout);
  // Some writers forget the palette when they say where the pixels are.
  if (layout.bits <= 8 && pixels_at == kFileHeaderBytes + layout.header_bytes)
    pixels_at += std::size_t{4} * layout.colours;
  if (pixels_at != 0) reader.seek(pixels_at);
  return layout;
}

// The place in the picture of the n-th row of the file.
std::uint8_t* row_of(Image& image, const BmpLayout& layout, std::size_t n) {
  const std::size_t row = layout.top_down ? n : layout.height - 1 - n;
  return &image.rgb[row * layout.width * 3];
}

void read_indexed_rows(ByteReader& reader, const BmpLayout& layout, Image& image) {
  const std::size_t row_bytes = (std::size_t{layout.width} * layout.bits + 7) / 8;
  const std::size_t per_byte = 8 / layout.bits;
  const unsigned mask = (1U << layout.bits) - 1;
  for (std::size_t n = 0; n < layout.height; ++n) {
    if (n > 0) reader.skip((4 - row_bytes % 4) % 4);
    const auto bytes = reader.take(row_bytes);
    std::uint8_t* rgb = row_of(image, layout, n);
    for (std::size_t x = 0; x < layout.width; ++x, rgb += 3) {
      const auto shift = static_cast<unsigned>(per_byte - 1 - x % per_byte) * layout.bits;
      const unsigned index = bytes[x / per_byte] >> shift & mask;
      std::ranges::copy(layout.palette[static_cast<std::uint8_t>(index)], rgb);
    }
  }
}

void read_direct_rows(ByteReader& reader, const BmpLayout& layout, Image& image) {
  const std::size_t pixel_bytes = layout.bits / 8;
  const std::size_t row_bytes = layout.width * pixel_bytes;
  const std::array<BitField, 3> channels = {BitField(layout.masks[0]), BitField(layout.masks[1]),
                                            BitField(layout.masks[2])};
  for (std::size_t n = 0; n < layout.height; ++n) {
    if (n > 0) reader.skip((4 - row_bytes % 4) % 4);
    const std::uint8_t* bytes = reader.take(row_bytes).data();
    std::uint8_t* rgb = row_of(image, layout, n);
    for (std::size_t x = 0; x < layout.width; ++x, bytes += pixel_bytes, rgb += 3) {
      std::uint32_t pixel = 0;
      for (std::size_t b = 0; b < pixel_bytes; ++b) pixel |= std::uint32_t{bytes[b]} << (8 * b);
      for (std::size_t c = 0; c < 3; ++c) rgb[c] = channels[c].of(pixel);
    }
  }
}

// Run-length coded rows. What the data leave out is index 0; what passes the end of a row is
// dropped until the next row begins.
class RunLengthReader {
 public:
  RunLengthReader(ByteReader& reader, const BmpLayout& layout, Image& image)
      : reader_(reader),
        layout_(layout),
        image_(image),
        is_rle4_(layout.compression == Compression::rle4) {}

  void read() {
    fill_with_first_colour();
    while (!is_complete()) {
      const std::uint8_t count = reader_.u8();
      const std::uint8_t value = reader_.u8();
      if (count > 0) {
        put_run(count, value);
      } else if (value == kEndOfRow) {
        column_ = 0;
        ++row_;
      } else if (value == kEndOfPicture) {
        return;
      } else if (value == kMove) {
        column_ += reader_.u8();
        row_ += reader_.u8();
      } else {
        put_literals(value);
      }
    }
  }

 private:
  static constexpr std::uint8_t kEndOfRow = 0;
  static constexpr std::uint8_t kEndOfPicture = 1;
  static constexpr std::uint8_t kMove = 2;

  bool is_complete() const {
    return row_ >= layout_.height || (row_ + 1 == layout_.height && column_ >= layout_.width);
  }

  void fill_with_first_colour() {
    const Palette::Colour colour = layout_.palette[0];
    for (std::size_t i = 0; i < image_.rgb.size(); ++i) image_.rgb[i] = colour[i % 3];
  }

  void put(std::uint8_t index) {
    if (column_ < layout_.width)
      std::ranges::copy(layout_.palette[index], row_of(image_, layout_, row_) + column_ * 3);
    ++column_;
  }

  void put_run(std::size_t count, std::uint8_t value) {
    for (std::size_t i = 0; i < count; ++i) put(is_rle4_ ? nibble(value, i) : value);
  }

  void put_literals(std::size_t count) {
    const auto bytes = reader_.take(is_rle4_ ? (count + 1) / 2 : count);
    for (std::size_t i = 0; i < count; ++i) put(is_rle4_ ? nibble(bytes[i / 2], i) : bytes[i]);
    if (bytes.size() % 2 != 0) reader_.skip(1);
  }

  static std::uint8_t nibble(std::uint8_t pair, std::size_t i) {
    return i % 2 == 0 ? pair >> 4 : pair & 15;
  }

  ByteReader& reader_;
  const BmpLayout& layout_;
  Image& image_;
  bool is_rle4_;
  std::size_t row_ = 0;  // in the order of the file
  std::size_t column_ = 0;
};

}  // namespace

Image decode_bmp(const EncodedImage& source) {
  ByteReader reader(source);
  const BmpLayout layout = read_layout(reader, source);
  Image image = blank_image(source, layout.width, layout.height);
  if (layout.compression == Compression::rle8 || layout.compression == Compression::rle4) {
    RunLengthReader(reader, layout, image).read();
  } else if (layout.bits <= 8) {
    read_indexed_rows(reader, layout, image);
  } else {
    read_direct_rows(reader, layout, image);
  }
  return image;
}

}  // namespace vl2
