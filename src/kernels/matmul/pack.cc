// SPDX-License-Identifier: MIT
#include "kernels/matmul/pack.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace vl2 {
namespace {

// Numbers k .. k + 31 of a row, zero beyond `depth`.
template <class To, class From>
void copy_line(const From* row, std::size_t k, std::size_t depth, To* line) {
  const std::size_t count = row == nullptr ? 0 : std::min(kTileDepth, depth - k);
  if constexpr (std::is_same_v<To, From>) {
    if (count > 0) std::memcpy(line, row + k, count * sizeof(To));
  } else if constexpr (std::is_same_v<To, Bf16>) {
    for (std::size_t i = 0; i < count; ++i) line[i] = to_bf16(row[k + i]);
  } else {
    for (std::size_t i = 0; i < count; ++i) line[i] = to_float(row[k + i]);
  }
  std::fill(line + count, line + kTileDepth, To{});
}

// [16 columns][words] to [words][16 columns]. A word is a float, or two bf16 numbers of a column.
template <std::size_t WordCount>
void transpose_words(const std::uint32_t (&columns)[kTileColumns][WordCount], std::byte* out) {
  std::uint32_t line[kTileColumns];
  for (std::size_t word = 0; word < WordCount; ++word) {
    for (std::size_t n = 0; n < kTileColumns; ++n) line[n] = columns[n][word];
    std::memcpy(out + word * sizeof(line), line, sizeof(line));
  }
}

template <class To, class From>
void pack_pair_as(const PairRows<From>& rows, std::size_t depth, std::byte* out) {
  constexpr std::size_t kWords = kTileDepth * sizeof(To) / sizeof(std::uint32_t);
  alignas(64) std::uint32_t columns[kTileColumns][kWords];
  To line[kTileDepth];
  for (std::size_t k = 0; k < depth; k += kTileDepth)
    for (std::size_t panel = 0; panel < 2; ++panel) {
      for (std::size_t n = 0; n < kTileColumns; ++n) {
        copy_line(rows[panel * kTileColumns + n], k, depth, line);
        std::memcpy(columns[n], line, sizeof(line));
      }
      transpose_words(columns, out);
      out += kTileNumbers * sizeof(To);
    }
}

template <class T>
void pack_pair_from(WeightFormat format, const PairRows<T>& rows, std::size_t depth,
                    std::byte* out) {
  switch (format) {
    case WeightFormat::f32:
      return pack_pair_as<float>(rows, depth, out);
    case WeightFormat::bf16:
      return pack_pair_as<Bf16>(rows, depth, out);
  }
}

template <class T>
void pack_matrix_from(std::span<const T> source, Weight& weight, std::size_t matrix) {
  VL2_CHECK(source.size() == weight.columns() * weight.depth());
  for (std::size_t pair = 0; pair < weight.pairs(); ++pair) {
    PairRows<T> rows{};
    const std::size_t first = pair * kPairColumns;
    for (std::size_t n = 0; n < kPairColumns && first + n < weight.columns(); ++n)
      rows[n] = source.data() + (first + n) * weight.depth();
    pack_pair(weight.format(), rows, weight.depth(), weight.mutable_pair(matrix, pair));
  }
}

template <class T>
void unpack_matrix_as(const Weight& weight, std::size_t matrix, std::span<float> out) {
  const auto* numbers = reinterpret_cast<const T*>(weight.pair(matrix, 0));
  const Operand operand = operand_of(weight.format());
  for (std::size_t n = 0; n < weight.columns(); ++n)
    for (std::size_t k = 0; k < weight.depth(); ++k) {
      const T number = numbers[right_index(operand, n, k, weight.depth_tiles())];
      if constexpr (std::is_same_v<T, float>)
        out[n * weight.depth() + k] = number;
      else
        out[n * weight.depth() + k] = to_float(number);
    }
}

}  // namespace

void pack_pair(WeightFormat format, const PairRows<Bf16>& rows, std::size_t depth, std::byte* out) {
  pack_pair_from(format, rows, depth, out);
}
void pack_pair(WeightFormat format, const PairRows<float>& rows, std::size_t depth,
               std::byte* out) {
  pack_pair_from(format, rows, depth, out);
}

void pack_matrix(std::span<const Bf16> source, Weight& weight, std::size_t matrix) {
  pack_matrix_from(source, weight, matrix);
}
void pack_matrix(std::span<const float> source, Weight& weight, std::size_t matrix) {
  pack_matrix_from(source, weight, matrix);
}

void unpack_matrix(const Weight& weight, std::size_t matrix, std::span<float> out) {
  VL2_CHECK(out.size() == weight.columns() * weight.depth());
  if (weight.columns() == 0) return;
  switch (weight.format()) {
    case WeightFormat::f32:
      return unpack_matrix_as<float>(weight, matrix, out);
    case WeightFormat::bf16:
      return unpack_matrix_as<Bf16>(weight, matrix, out);
  }
}

}  // namespace vl2
