// SPDX-License-Identifier: MIT
// Views of activations. Views own nothing and are passed by value; the memory is an Arena's or a
// caller's.
#pragma once

#include <cstddef>
#include <span>

#include "base/check.h"

namespace vl2 {

struct Heads;

// fp32 matrix [count][width]; row i begins at data + i * stride.
struct Rows {
  float* data = nullptr;
  std::size_t count = 0;
  std::size_t width = 0;
  std::size_t stride = 0;

  float* row(std::size_t i) const noexcept { return data + i * stride; }
  std::span<float> operator[](std::size_t i) const noexcept { return {row(i), width}; }

  // Rows first .. first + n.
  Rows slice(std::size_t first, std::size_t n) const noexcept {
    VL2_ASSERT(first + n <= count);
    return {row(first), n, width, stride};
  }
  // Columns first .. first + n of every row.
  Rows columns(std::size_t first, std::size_t n) const noexcept {
    VL2_ASSERT(first + n <= width);
    return {data + first, count, n, stride};
  }
  Rows first(std::size_t n) const noexcept { return columns(0, n); }
  Rows last(std::size_t n) const noexcept { return columns(width - n, n); }

  // Every row cut into `heads` equal parts.
  inline Heads heads(std::size_t heads) const noexcept;
};

// fp32 [token][head][width], any stride between tokens and between heads.
struct Heads {
  float* data = nullptr;
  std::size_t tokens = 0;
  std::size_t heads = 0;
  std::size_t width = 0;
  std::size_t token_stride = 0;
  std::size_t head_stride = 0;

  float* at(std::size_t token, std::size_t head) const noexcept {
    return data + token * token_stride + head * head_stride;
  }
  // One head of every token.
  Rows head(std::size_t head) const noexcept {
    return {data + head * head_stride, tokens, width, token_stride};
  }
  // The first (last) n numbers of every head.
  Heads first(std::size_t n) const noexcept {
    VL2_ASSERT(n <= width);
    return {data, tokens, heads, n, token_stride, head_stride};
  }
  Heads last(std::size_t n) const noexcept {
    VL2_ASSERT(n <= width);
    return {data + (width - n), tokens, heads, n, token_stride, head_stride};
  }
  // A token's heads side by side as one row. The heads must be contiguous.
  Rows flat() const noexcept {
    VL2_ASSERT(head_stride == width);
    return {data, tokens, heads * width, token_stride};
  }
};

inline Heads Rows::heads(std::size_t heads) const noexcept {
  VL2_ASSERT(width % heads == 0);
  return {data, count, heads, width / heads, stride, width / heads};
}

}  // namespace vl2
