// SPDX-License-Identifier: MIT
// JPEG through libjpeg-turbo at its defaults (accurate integer transform, smooth chroma), which
// are Pillow's too.
//
// libjpeg reports errors by a callback that must not return, so it jumps. A jump passes over
// destructors: the functions below that call setjmp hold nothing but references and numbers, and
// everything with a destructor lives in decode_jpeg, which never jumps.
#include <cstddef>
#include <cstdio>
// libjpeg's header needs size_t and FILE to be declared before it.
#include <array>
#include <csetjmp>
#include <vector>

#include <jerror.h>
#include <jpeglib.h>

#include "image/decode.h"

namespace vl2 {
namespace {

// A crafted progressive file can hold thousands of empty scans, each as slow as a full picture.
// Encoders write about ten.
constexpr int kMaxScans = 500;

struct JpegSession {
  jpeg_decompress_struct codec{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr input{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape{};
  std::array<char, JMSG_LENGTH_MAX> message{};

  JpegSession() = default;
  JpegSession(const JpegSession&) = delete;
  JpegSession& operator=(const JpegSession&) = delete;
  ~JpegSession() { jpeg_destroy_decompress(&codec); }
};

JpegSession& session_of(j_common_ptr codec) {
  return *static_cast<JpegSession*>(codec->client_data);
}

[[noreturn]] void escape_with_message(j_common_ptr codec) {
  JpegSession& session = session_of(codec);
  codec->err->format_message(codec, session.message.data());
  std::longjmp(session.escape, 1);
}

// A negative level is a warning. Most are harmless and pass; entropy-coded data that stops short
// would leave part of the picture grey without a word.
void on_message(j_common_ptr codec, int level) {
  if (level < 0 && codec->err->msg_code == JWRN_HIT_MARKER) escape_with_message(codec);
}

void stay_silent(j_common_ptr) {}

void do_nothing(j_decompress_ptr) {}

// The whole file is in the buffer from the start, so a wish for more means that it is truncated.
boolean refuse_refill(j_decompress_ptr codec) {
  codec->err->msg_code = JERR_INPUT_EOF;
  escape_with_message(reinterpret_cast<j_common_ptr>(codec));
}

void skip_input(j_decompress_ptr codec, long count) {
  if (count <= 0) return;
  jpeg_source_mgr& input = *codec->src;
  const auto wanted = static_cast<std::size_t>(count);
  if (wanted > input.bytes_in_buffer) refuse_refill(codec);
  input.next_input_byte += wanted;
  input.bytes_in_buffer -= wanted;
}

void limit_scans(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMaxScans) return;
  codec->err->msg_code = JERR_BAD_PROGRESSION;
  escape_with_message(codec);
}

// False when libjpeg refuses; session.message says why. So do the two below.
bool read_header(JpegSession& session, std::span<const std::uint8_t> bytes) noexcept {
  session.codec.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = escape_with_message;
  session.errors.emit_message = on_message;
  session.errors.output_message = stay_silent;
  session.codec.client_data = &session;
  if (setjmp(session.escape) != 0) return false;

  jpeg_create_decompress(&session.codec);
  session.input.next_input_byte = bytes.data();
  session.input.bytes_in_buffer = bytes.size();
  session.input.init_source = do_nothing;
  session.input.fill_input_buffer = refuse_refill;
  session.input.skip_input_data = skip_input;
  session.input.resync_to_restart = jpeg_resync_to_restart;
  session.input.term_source = do_nothing;
  session.codec.src = &session.input;
  session.progress.progress_monitor = limit_scans;
  session.codec.progress = &session.progress;
  jpeg_read_header(&session.codec, TRUE);
  return true;
}

bool read_rgb_rows(JpegSession& session, std::uint8_t* rgb) noexcept {
  jpeg_decompress_struct& codec = session.codec;
  if (setjmp(session.escape) != 0) return false;
  codec.out_color_space = JCS_RGB;
  jpeg_start_decompress(&codec);
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW row = rgb + std::size_t{codec.output_scanline} * codec.output_width * 3;
    jpeg_read_scanlines(&codec, &row, 1);
  }
  jpeg_finish_decompress(&codec);
  return true;
}

// a * b / 255, rounded.
unsigned scaled_product(unsigned a, unsigned b) {
  const unsigned t = a * b + 128;
  return (t + (t >> 8)) >> 8;
}

// Files hold the inks inverted, as Adobe writes them, whether or not they carry Adobe's marker:
// 255 is no ink.
void convert_inverted_cmyk(const std::uint8_t* cmyk, std::size_t count, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < count; ++i, cmyk += 4, rgb += 3) {
    const unsigned light = cmyk[3];
    for (std::size_t c = 0; c < 3; ++c)
      rgb[c] = static_cast<std::uint8_t>(light - scaled_product(255U - cmyk[c], light));
  }
}

// `row` has room for one row of four-channel pixels.
bool read_cmyk_rows(JpegSession& session, std::uint8_t* row, std::uint8_t* rgb) noexcept {
  jpeg_decompress_struct& codec = session.codec;
  if (setjmp(session.escape) != 0) return false;
  codec.out_color_space = JCS_CMYK;
  jpeg_start_decompress(&codec);
  while (codec.output_scanline < codec.output_height) {
    const std::size_t first_pixel = std::size_t{codec.output_scanline} * codec.output_width;
    JSAMPROW rows = row;
    jpeg_read_scanlines(&codec, &rows, 1);
    convert_inverted_cmyk(row, codec.output_width, rgb + first_pixel * 3);
  }
  jpeg_finish_decompress(&codec);
  return true;
}

}  // namespace

Image decode_jpeg(const EncodedImage& source) {
  JpegSession session;
  if (!read_header(session, source.bytes)) refuse(source, session.message.data());

  const int channels = session.codec.num_components;
  if (channels != 1 && channels != 3 && channels != 4)
    refuse(source, "a JPEG of " + std::to_string(channels) + " channels has no known colours");
  Image image = blank_image(source, session.codec.image_width, session.codec.image_height);

  std::vector<std::uint8_t> cmyk_row(channels == 4 ? std::size_t{session.codec.image_width} * 4
                                                   : 0);
  const bool complete = channels == 4 ? read_cmyk_rows(session, cmyk_row.data(), image.rgb.data())
                                      : read_rgb_rows(session, image.rgb.data());
  if (!complete) refuse(source, session.message.data());
  return image;
}

}  // namespace vl2
