// SPDX-License-Identifier: MIT
#include "checkpoint/tensor_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/scalar.h"

namespace vl2 {
namespace {

[[noreturn]] void fail(ErrorCode code, const TensorView& tensor, const std::string& what) {
  throw Error(code, fmt::format("{}: tensor {} {}", tensor.file->string(), tensor.name, what));
}

float to_float(float value) noexcept { return value; }

// A number at any address; the compiler turns this into a plain load.
template <class T>
T load(const std::uint8_t* bytes, std::size_t i) noexcept {
  T value;
  std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
  return value;
}

// Calls f(T{}) with the tensor's number type.
template <class F>
auto with_float_type(const TensorView& tensor, F&& f) {
  switch (tensor.dtype) {
    case Dtype::f32:
      return f(float{});
    case Dtype::bf16:
      return f(Bf16{});
    case Dtype::f16:
      return f(F16{});
    default:
      fail(ErrorCode::unsupported, tensor,
           fmt::format("is {}; supported are F32, BF16 and F16", to_string(tensor.dtype)));
  }
}

}  // namespace

void require_float_type(const TensorView& tensor) {
  with_float_type(tensor, [](auto) {});
}

void read_floats(const TensorView& tensor, std::span<float> out) {
  with_float_type(tensor, [&]<class T>(T) {
    if (out.size() != tensor.count())
      fail(ErrorCode::bad_checkpoint, tensor,
           fmt::format("has shape {}, which is not {} numbers", shape_text(tensor.shape),
                       out.size()));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = to_float(load<T>(tensor.bytes.data(), i));
  });
}

void read_float_rows(const TensorView& tensor, std::size_t first_row, std::size_t row_count,
                     std::span<float> out) {
  const std::size_t rows = tensor.shape.empty() ? 1 : tensor.shape.front();
  if (first_row > rows || row_count > rows - first_row)
    fail(ErrorCode::bad_checkpoint, tensor,
         fmt::format("has {} rows, asked for rows {} to {}", rows, first_row,
                     first_row + row_count));
  const std::size_t width = rows == 0 ? 0 : tensor.count() / rows;
  const std::size_t row_bytes = rows == 0 ? 0 : tensor.bytes.size() / rows;
  TensorView part;
  part.name = tensor.name;
  part.dtype = tensor.dtype;
  part.shape = {row_count, width};
  part.bytes = tensor.bytes.subspan(first_row * row_bytes, row_count * row_bytes);
  part.file = tensor.file;
  read_floats(part, out);
}

std::optional<std::size_t> first_non_finite(const TensorView& tensor) {
  return with_float_type(tensor, [&]<class T>(T) -> std::optional<std::size_t> {
    // Blocks let the compiler use vectors: it cannot where a loop may end at any number.
    constexpr std::size_t kBlock = 4096;
    const std::size_t count = tensor.count();
    const auto is_bad = [&](std::size_t i) {
      return !std::isfinite(to_float(load<T>(tensor.bytes.data(), i)));
    };
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
      const std::size_t end = std::min(count, begin + kBlock);
      unsigned bad = 0;
      for (std::size_t i = begin; i < end; ++i) bad |= is_bad(i) ? 1U : 0U;
      if (bad == 0) continue;
      for (std::size_t i = begin; i < end; ++i)
        if (is_bad(i)) return i;
    }
    return std::nullopt;
  });
}

void require_finite(const TensorView& tensor) {
  if (const auto place = first_non_finite(tensor))
    fail(ErrorCode::bad_checkpoint, tensor,
         fmt::format("holds a NaN or an infinity at number {}; download the file again", *place));
}

}  // namespace vl2
