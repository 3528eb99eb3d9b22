// SPDX-License-Identifier: MIT
// The first frame of a GIF on its logical screen, as Pillow places and colours it.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "image/byte_reader.h"
#include "image/decode.h"

namespace vl2 {
namespace {

constexpr std::uint8_t kExtension = 0x21;
constexpr std::uint8_t kFrame = 0x2c;
constexpr std::uint8_t kTrailer = 0x3b;
constexpr std::uint8_t kGraphicControl = 0xf9;

constexpr std::uint8_t kHasPalette = 0x80;
constexpr std::uint8_t kIsInterlaced = 0x40;

// Codes of variable length, lowest bit first, in blocks of up to 255 bytes.
class CodeReader {
 public:
  CodeReader(ByteReader& reader, const EncodedImage& source) : reader_(reader), source_(source) {}

  unsigned next(unsigned bit_count) {
    while (held_bits_ < bit_count) {
      held_ |= unsigned{next_byte()} << held_bits_;
      held_bits_ += 8;
    }
    const unsigned code = held_ & ((1U << bit_count) - 1);
    held_ >>= bit_count;
    held_bits_ -= bit_count;
    return code;
  }

 private:
  std::uint8_t next_byte() {
    if (block_.empty()) {
      block_ = reader_.take(reader_.u8());
      if (block_.empty()) refuse(source_, "the GIF picture data end before the last row");
    }
    const std::uint8_t byte = block_.front();
    block_ = block_.subspan(1);
    return byte;
  }

  ByteReader& reader_;
  const EncodedImage& source_;
  std::span<const std::uint8_t> block_;
  unsigned held_ = 0;
  unsigned held_bits_ = 0;
};

// The table of LZW: each code is a string, kept as its last pixel and the code of what is before.
class StringTable {
 public:
  static constexpr unsigned kMaxBits = 12;

  explicit StringTable(unsigned literal_bits) : literal_bits_(literal_bits) { clear(); }

  unsigned clear_code() const { return 1U << literal_bits_; }
  unsigned end_code() const { return clear_code() + 1; }
  unsigned size() const { return size_; }
  unsigned code_bits() const { return code_bits_; }

  void clear() {
    size_ = end_code() + 1;
    code_bits_ = literal_bits_ + 1;
  }

  // A full table stays as it is until it is cleared.
  void add(unsigned prefix, std::uint8_t last) {
    if (size_ == kCapacity) return;
    prefixes_[size_] = static_cast<std::uint16_t>(prefix);
    lasts_[size_] = last;
    ++size_;
    if (size_ == 1U << code_bits_ && code_bits_ < kMaxBits) ++code_bits_;
  }

  // The string of a code in the table, back to front. Prefixes are older than what they begin, so
  // this ends, and no string is longer than the table.
  void expand_backwards(unsigned code, std::vector<std::uint8_t>& reversed) const {
    while (code >= clear_code()) {
      reversed.push_back(lasts_[code]);
      code = prefixes_[code];
    }
    reversed.push_back(static_cast<std::uint8_t>(code));
  }

 private:
  static constexpr unsigned kCapacity = 1U << kMaxBits;

  unsigned literal_bits_;
  unsigned size_ = 0;
  unsigned code_bits_ = 0;
  std::array<std::uint16_t, kCapacity> prefixes_{};
  std::array<std::uint8_t, kCapacity> lasts_{};
};

// Calls put(index) for the first `count` pixels, in the order of the file.
template <typename Put>
void decompress(ByteReader& reader, const EncodedImage& source, std::size_t count, const Put& put) {
  const unsigned literal_bits = reader.u8();
  if (literal_bits > 8) refuse(source, "its GIF code size is out of range");
  CodeReader codes(reader, source);
  StringTable table(literal_bits);
  std::vector<std::uint8_t> reversed;
  bool has_previous = false;  // not at the start and not after a clear code
  unsigned previous = 0;
  std::uint8_t previous_first = 0;

  while (count > 0) {
    const unsigned code = codes.next(table.code_bits());
    if (code == table.clear_code()) {
      table.clear();
      has_previous = false;
      continue;
    }
    if (code == table.end_code()) refuse(source, "the GIF picture data end before the last row");
    // The one code not yet in the table that may come is the one about to be added.
    const bool repeats = has_previous && code == table.size();
    if ((!has_previous && code > table.clear_code()) || (code >= table.size() && !repeats))
      refuse(source, "the GIF picture data are broken");

    reversed.clear();
    if (repeats) reversed.push_back(previous_first);
    table.expand_backwards(repeats ? previous : code, reversed);
    previous_first = reversed.back();
    if (has_previous) table.add(previous, previous_first);
    has_previous = true;
    previous = code;
    for (; !reversed.empty() && count > 0; --count, reversed.pop_back()) put(reversed.back());
  }
}

struct ColourTable {
  Palette palette;
  bool is_grey_ramp = true;  // every colour is its own index, which Pillow takes for no table
};

ColourTable read_colour_table(ByteReader& reader, std::uint8_t flags) {
  ColourTable table;
  const std::size_t count = std::size_t{2} << (flags & 7);
  const auto bytes = reader.take(count * 3);
  for (std::size_t i = 0; i < count; ++i) {
    const Palette::Colour colour = {bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2]};
    const bool is_own_index = std::ranges::all_of(colour, [i](auto value) { return value == i; });
    table.is_grey_ramp = table.is_grey_ramp && is_own_index;
    table.palette.set(i, colour);
  }
  return table;
}

// Skips an extension, or takes the transparent index from a graphic control.
void read_extension(ByteReader& reader, std::optional<std::uint8_t>& transparent) {
  const std::uint8_t label = reader.u8();
  bool first = true;
  for (auto block = reader.take(reader.u8()); !block.empty(); block = reader.take(reader.u8())) {
    if (first && label == kGraphicControl && block.size() >= 4 && (block[0] & 1) != 0)
      transparent = block[3];
    first = false;
  }
}

std::vector<std::size_t> row_order(std::size_t height, bool is_interlaced) {
  struct Pass {
    std::size_t first, step;
  };
  static constexpr std::array<Pass, 4> kInterlaced = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  static constexpr std::array<Pass, 1> kPlain = {{{0, 1}}};
  std::vector<std::size_t> order;
  order.reserve(height);
  for (const Pass pass : is_interlaced ? std::span<const Pass>(kInterlaced) : kPlain) {
    for (std::size_t row = pass.first; row < height; row += pass.step) order.push_back(row);
  }
  return order;
}

// What of the file stands before the frame.
struct GifScreen {
  std::size_t width = 0;
  std::size_t height = 0;
  ColourTable colours;
  std::optional<std::uint8_t> transparent;
};

Image read_frame(ByteReader& reader, const EncodedImage& source, const GifScreen& screen) {
  const std::size_t left = reader.u16();
  const std::size_t top = reader.u16();
  const std::size_t width = reader.u16();
  const std::size_t height = reader.u16();
  const std::uint8_t flags = reader.u8();
  if (width == 0 || height == 0) refuse(source, "its first frame has no pixels");

  // A table of its own that is a plain grey ramp does not replace the common one, as in Pillow.
  Palette palette = screen.colours.palette;
  if ((flags & kHasPalette) != 0) {
    const ColourTable own = read_colour_table(reader, flags);
    if (!own.is_grey_ramp) palette = own.palette;
  }

  // A frame that reaches beyond the screen enlarges it. Around the frame lies the transparent
  // colour, or else colour 0; the background colour of the header plays no part.
  Image image = blank_image(source, std::max(screen.width, left + width),
                            std::max(screen.height, top + height));
  const auto full_width = static_cast<std::size_t>(image.width);
  const Palette::Colour around = palette[screen.transparent.value_or(0)];
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = around[i % 3];

  const std::vector<std::size_t> order = row_order(height, (flags & kIsInterlaced) != 0);
  std::size_t row = 0;
  std::size_t column = 0;
  decompress(reader, source, width * height, [&](std::uint8_t index) {
    const std::size_t pixel = (top + order[row]) * full_width + left + column;
    std::ranges::copy(palette[index], &image.rgb[pixel * 3]);
    if (++column == width) {
      column = 0;
      ++row;
    }
  });
  return image;
}

}  // namespace

Image decode_gif(const EncodedImage& source) {
  ByteReader reader(source);
  reader.skip(6);  // the signature
  GifScreen screen;
  screen.width = reader.u16();
  screen.height = reader.u16();
  const std::uint8_t flags = reader.u8();
  reader.skip(2);  // background index, pixel aspect
  if ((flags & kHasPalette) != 0) screen.colours = read_colour_table(reader, flags);

  for (;;) {
    const std::uint8_t block = reader.u8();
    if (block == kTrailer) refuse(source, "the GIF file holds no picture");
    if (block == kFrame) return read_frame(reader, source, screen);
    if (block == kExtension) read_extension(reader, screen.transparent);
  }
}

}  // namespace vl2
