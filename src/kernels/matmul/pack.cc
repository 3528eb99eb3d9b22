// SPDX-License-Identifier: MIT
#include "kernels/matmul/pack.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "kernels/matmul/pack_quantized.h"

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
void pack_pair_from(WeightFormat format, const PairRows<T>& rows, std::size_t depth, std::byte* out,
                    Importance importance) {
  switch (format) {
    case WeightFormat::f32:
      return pack_pair_as<float>(rows, depth, out);
    case WeightFormat::bf16:
      return pack_pair_as<Bf16>(rows, depth, out);
    case WeightFormat::int8:
    case WeightFormat::int4:
      return pack_quantized_pair(format, rows, depth, importance, out);
  }
}

template <class T>
void pack_matrix_from(std::span<const T> source, Weight& weight, std::size_t matrix,
                      Importance importance) {
  VL2_CHECK(source.size() == weight.columns() * weight.depth());
  for (std::size_t pair = 0; pair < weight.pairs(); ++pair) {
    PairRows<T> rows{};
    const std::size_t first = pair * kPairColumns;
    for (std::size_t n = 0; n < kPairColumns && first + n < weight.columns(); ++n)
      rows[n] = source.data() + (first + n) * weight.depth();
    pack_pair(weight.format(), rows, weight.depth(), weight.mutable_pair(matrix, pair), importance);
  }
}

float as_float(float number) { return number; }
float as_float(Bf16 number) { return to_float(number); }

// One column of the matrix, [depth].
template <class T>
void unpack_column_as(const Weight& weight, std::size_t matrix, std::size_t n, float* out) {
  const auto* numbers = reinterpret_cast<const T*>(weight.pair(matrix, 0));
  const Operand operand = operand_of(weight.format());
  for (std::size_t k = 0; k < weight.depth(); ++k)
    out[k] = as_float(numbers[right_index(operand, n, k, weight.depth_tiles())]);
}
void unpack_column(const Weight& weight, std::size_t matrix, std::size_t n, float* out) {
  switch (weight.format()) {
    case WeightFormat::f32:
      return unpack_column_as<float>(weight, matrix, n, out);
    case WeightFormat::bf16:
      return unpack_column_as<Bf16>(weight, matrix, n, out);
    case WeightFormat::int8:
    case WeightFormat::int4:
      return unpack_quantized_column(weight.format(), weight.pair(matrix, n / kPairColumns),
                                     n % kPairColumns, weight.depth(), out);
  }
}

template <class T>
WeightError weight_error_of(std::span<const T> source, const Weight& weight, std::size_t matrix) {
  VL2_CHECK(source.size() == weight.columns() * weight.depth());
  WeightError total;
  std::vector<float> column(weight.depth());
  for (std::size_t n = 0; n < weight.columns(); ++n) {
    unpack_column(weight, matrix, n, column.data());
    for (std::size_t k = 0; k < weight.depth(); ++k) {
      const double number = static_cast<double>(as_float(source[n * weight.depth() + k]));
      const double error = std::abs(static_cast<double>(column[k]) - number);
      total.squared_error += error * error;
      total.squared_size += number * number;
      total.largest_error = std::max(total.largest_error, error);
    }
  }
  return total;
}

}  // namespace

void pack_pair(WeightFormat format, const PairRows<Bf16>& rows, std::size_t depth, std::byte* out,
               Importance importance) {
  pack_pair_from(format, rows, depth, out, importance);
}
void pack_pair(WeightFormat format, const PairRows<float>& rows, std::size_t depth, std::byte* out,
               Importance importance) {
  pack_pair_from(format, rows, depth, out, importance);
}

void pack_matrix(std::span<const Bf16> source, Weight& weight, std::size_t matrix,
                 Importance importance) {
  pack_matrix_from(source, weight, matrix, importance);
}
void pack_matrix(std::span<const float> source, Weight& weight, std::size_t matrix,
                 Importance importance) {
  pack_matrix_from(source, weight, matrix, importance);
}

Weight repacked(const Weight& weight, WeightFormat format, const ThreadTeam& team) {
  Weight out(format, weight.columns(), weight.depth(), weight.stack());
  const std::size_t depth = weight.depth();
  const auto threads = static_cast<std::size_t>(team.size());
  std::vector<float> all_rows(threads * kPairColumns * depth);  // of each thread
  team.run([&](std::size_t thread, std::size_t running) {
    float* rows = all_rows.data() + thread * kPairColumns * depth;
    const Share share = share_of(weight.stack() * weight.pairs(), thread, running);
    for (std::size_t i = share.begin; i < share.end; ++i) {
      const std::size_t matrix = i / weight.pairs();
      const std::size_t pair = i % weight.pairs();
      PairRows<float> pair_rows{};
      for (std::size_t n = 0; n < kPairColumns; ++n) {
        const std::size_t column = pair * kPairColumns + n;
        if (column >= weight.columns()) break;
        unpack_column(weight, matrix, column, rows + n * depth);
        pair_rows[n] = rows + n * depth;
      }
      pack_pair(format, pair_rows, depth, out.mutable_pair(matrix, pair));
    }
  });
  return out;
}

void unpack_matrix(const Weight& weight, std::size_t matrix, std::span<float> out) {
  VL2_CHECK(out.size() == weight.columns() * weight.depth());
  for (std::size_t n = 0; n < weight.columns(); ++n)
    unpack_column(weight, matrix, n, out.data() + n * weight.depth());
}

double WeightError::relative() const noexcept {
  return squared_size > 0.0 ? std::sqrt(squared_error / squared_size) : 0.0;
}
WeightError& WeightError::operator+=(const WeightError& other) noexcept {
  squared_error += other.squared_error;
  squared_size += other.squared_size;
  largest_error = std::max(largest_error, other.largest_error);
  return *this;
}

WeightError weight_error(std::span<const Bf16> source, const Weight& weight, std::size_t matrix) {
  return weight_error_of(source, weight, matrix);
}
WeightError weight_error(std::span<const float> source, const Weight& weight, std::size_t matrix) {
  return weight_error_of(source, weight, matrix);
}

}  // namespace vl2
