// SPDX-License-Identifier: MIT
// Reads a picture file front to back, little-endian, and never past its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "image/decode.h"

namespace vl2 {

// Every read that would pass the end refuses the picture as truncated.
class ByteReader {
 public:
  explicit ByteReader(const EncodedImage& source) : source_(source) {}

  std::size_t position() const noexcept { return position_; }

  void seek(std::size_t position) {
    if (position > source_.bytes.size()) refuse_truncated();
    position_ = position;
  }

  std::span<const std::uint8_t> take(std::size_t count) {
    if (count > source_.bytes.size() - position_) refuse_truncated();
    const auto taken = source_.bytes.subspan(position_, count);
    position_ += count;
    return taken;
  }

  void skip(std::size_t count) { take(count); }

  std::uint8_t u8() { return take(1)[0]; }

  std::uint16_t u16() {
    const auto b = take(2);
    return static_cast<std::uint16_t>(b[0] | b[1] << 8);
  }

  std::uint32_t u32() {
    const std::uint32_t low = u16();
    return low | std::uint32_t{u16()} << 16;
  }

 private:
  [[noreturn]] void refuse_truncated() const { refuse(source_, "the file is truncated"); }

  const EncodedImage& source_;
  std::size_t position_ = 0;
};

}  // namespace vl2
