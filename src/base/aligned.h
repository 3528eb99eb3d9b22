// SPDX-License-Identifier: MIT
// Owned, zeroed memory, aligned for the widest loads and backed by huge pages where it is large.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace vl2 {

// Rounds up to a multiple of `unit`.
constexpr std::size_t round_up(std::size_t value, std::size_t unit) noexcept {
  return (value + unit - 1) / unit * unit;
}

// Gives an anonymous mapping back.
struct Unmap {
  std::size_t mapped_bytes = 0;
  void operator()(std::byte* data) const noexcept;
};

// Move-only. Freshly mapped, so pages are touched first by whoever writes them first.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // Throws Error{out_of_memory}.
  explicit AlignedBuffer(std::size_t bytes);

  std::byte* data() noexcept { return data_.get(); }
  const std::byte* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return bytes_; }

  template <class T>
  std::span<T> as() noexcept {
    return {reinterpret_cast<T*>(data_.get()), bytes_ / sizeof(T)};
  }
  template <class T>
  std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data_.get()), bytes_ / sizeof(T)};
  }

 private:
  std::unique_ptr<std::byte[], Unmap> data_;
  std::size_t bytes_ = 0;
};

}  // namespace vl2
