// SPDX-License-Identifier: MIT
// PNG through libpng, which delivers raw samples; what they mean as RGB is decided here, as Pillow
// does. Text, colour profiles, gamma and transparency are skipped. Of an animated PNG the picture
// in IDAT is taken.
//
// As in decode_jpeg.cc, functions that call setjmp hold nothing with a destructor.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

#include <png.h>

#include "image/decode.h"

namespace vl2 {
namespace {

struct PngSession {
  std::span<const std::uint8_t> unread;
  std::array<char, 200> message{};
  png_structp reader = nullptr;
  png_infop info = nullptr;
  // Of the file, before libpng unpacks it.
  png_uint_32 width = 0;
  png_uint_32 height = 0;
  int bit_depth = 0;
  int colour_type = 0;
  int pass_count = 1;

  PngSession() = default;
  PngSession(const PngSession&) = delete;
  PngSession& operator=(const PngSession&) = delete;
  ~PngSession() { png_destroy_read_struct(&reader, &info, nullptr); }
};

[[noreturn]] void escape_with_message(png_structp reader, png_const_charp message) {
  auto& session = *static_cast<PngSession*>(png_get_error_ptr(reader));
  std::strncpy(session.message.data(), message, session.message.size() - 1);
  png_longjmp(reader, 1);
}

void stay_silent(png_structp, png_const_charp) {}

void read_bytes(png_structp reader, png_bytep to, std::size_t count) {
  auto& session = *static_cast<PngSession*>(png_get_io_ptr(reader));
  if (count > session.unread.size()) png_error(reader, "the file is truncated");
  std::memcpy(to, session.unread.data(), count);
  session.unread = session.unread.subspan(count);
}

// Reads all up to the picture data. False when libpng refuses; session.message says why.
bool read_header(PngSession& session) noexcept {
  session.reader =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &session, escape_with_message, stay_silent);
  if (session.reader == nullptr) return false;
  if (setjmp(png_jmpbuf(session.reader)) != 0) return false;
  session.info = png_create_info_struct(session.reader);
  if (session.info == nullptr) png_error(session.reader, "out of memory");

  png_set_read_fn(session.reader, &session, read_bytes);
  png_set_user_limits(session.reader, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_benign_errors(session.reader, 1);
  png_set_keep_unknown_chunks(session.reader, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  // Checksums count in everything before the picture data, and no longer from there on.
  png_set_crc_action(session.reader, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_read_info(session.reader, session.info);
  png_set_crc_action(session.reader, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);

  session.width = png_get_image_width(session.reader, session.info);
  session.height = png_get_image_height(session.reader, session.info);
  session.bit_depth = png_get_bit_depth(session.reader, session.info);
  session.colour_type = png_get_color_type(session.reader, session.info);
  const bool interlaced =
      png_get_interlace_type(session.reader, session.info) != PNG_INTERLACE_NONE;
  session.pass_count = interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1;
  png_set_packing(session.reader);  // samples of 1, 2 and 4 bits take a byte each
  png_read_update_info(session.reader, session.info);
  return true;
}

Palette read_palette(PngSession& session) {
  png_colorp colours = nullptr;
  int count = 0;
  Palette palette;
  if (png_get_PLTE(session.reader, session.info, &colours, &count) == 0) return palette;
  for (int i = 0; i < std::min(count, 256); ++i)
    palette.set(static_cast<std::size_t>(i), {colours[i].red, colours[i].green, colours[i].blue});
  return palette;
}

// One row of one pass, as libpng gives it, and where its pixels go.
struct PngRow {
  const std::uint8_t* samples;
  std::size_t pixels;
  std::uint8_t* rgb;
  std::size_t rgb_step;  // bytes from one of its pixels to the next
};

// 16-bit grey is clipped, not scaled: Pillow opens it as 32-bit integers. Fewer bits are scaled.
void convert_grey(const PngRow& row, int bit_depth, std::size_t pixel_bytes) {
  const unsigned scale = bit_depth < 8 ? 255U / ((1U << bit_depth) - 1) : 1;
  for (std::size_t i = 0; i < row.pixels; ++i) {
    const std::uint8_t* sample = row.samples + i * pixel_bytes;
    const unsigned value = bit_depth == 16 ? (sample[0] != 0 ? 255U : sample[1]) : *sample * scale;
    std::memset(row.rgb + i * row.rgb_step, static_cast<int>(value), 3);
  }
}

void convert_row(const PngSession& session, const Palette& palette, const PngRow& row) {
  const std::size_t sample_bytes = session.bit_depth == 16 ? 2 : 1;
  if (session.colour_type == PNG_COLOR_TYPE_GRAY)
    return convert_grey(row, session.bit_depth, sample_bytes);

  const std::size_t channels = session.colour_type == PNG_COLOR_TYPE_PALETTE      ? 1
                               : session.colour_type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                               : session.colour_type == PNG_COLOR_TYPE_RGB        ? 3
                                                                                  : 4;
  for (std::size_t i = 0; i < row.pixels; ++i) {
    const std::uint8_t* pixel = row.samples + i * channels * sample_bytes;
    std::uint8_t* rgb = row.rgb + i * row.rgb_step;
    if (channels == 1) {
      std::ranges::copy(palette[*pixel], rgb);
    } else {  // big-endian samples: the high byte comes first
      const std::size_t next = channels == 2 ? 0 : sample_bytes;
      for (std::size_t c = 0; c < 3; ++c) rgb[c] = pixel[c * next];
    }
  }
}

// Each pass is read as a small picture of its own and its pixels are spread over the large one.
// `samples` has room for the longest row.
bool read_rows(PngSession& session, const Palette& palette, std::uint8_t* samples,
               std::uint8_t* rgb) noexcept {
  if (setjmp(png_jmpbuf(session.reader)) != 0) return false;
  for (int pass = 0; pass < session.pass_count; ++pass) {
    const bool whole = session.pass_count == 1;
    const std::size_t columns = whole ? session.width : PNG_PASS_COLS(session.width, pass);
    const std::size_t rows = whole ? session.height : PNG_PASS_ROWS(session.height, pass);
    if (columns == 0) continue;
    const std::size_t first_column = whole ? 0 : PNG_PASS_START_COL(pass);
    const std::size_t first_row = whole ? 0 : PNG_PASS_START_ROW(pass);
    const std::size_t column_step = whole ? 1 : PNG_PASS_COL_OFFSET(pass);
    const std::size_t row_step = whole ? 1 : PNG_PASS_ROW_OFFSET(pass);
    for (std::size_t r = 0; r < rows; ++r) {
      png_read_row(session.reader, samples, nullptr);
      const std::size_t first = (first_row + r * row_step) * session.width + first_column;
      convert_row(session, palette, {samples, columns, rgb + first * 3, column_step * 3});
    }
  }
  return true;
}

}  // namespace

Image decode_png(const EncodedImage& source) {
  PngSession session;
  session.unread = source.bytes;
  if (!read_header(session)) refuse(source, session.message.data());
  Image image = blank_image(source, session.width, session.height);

  const Palette palette = read_palette(session);
  std::vector<std::uint8_t> samples(png_get_rowbytes(session.reader, session.info));
  if (!read_rows(session, palette, samples.data(), image.rgb.data()))
    refuse(source, session.message.data());
  return image;
}

}  // namespace vl2
