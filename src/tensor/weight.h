// SPDX-License-Identifier: MIT
// A weight matrix, or a stack of them (experts, heads), in the order the kernels read.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/aligned.h"
#include "tensor/tiles.h"

namespace vl2 {

// How weights are held in memory. docs/formats.md has the layouts and what they cost.
enum class WeightFormat {
  f32,   // reference and tests
  bf16,  // the released weights, exact
  int8,  // 8 bits a weight and a float a column (tensor/format/int8.h)
  int4,  // 4.5 bits a weight and a float a column (tensor/format/int4.h)
};
inline constexpr WeightFormat kAllWeightFormats[] = {WeightFormat::f32, WeightFormat::bf16,
                                                     WeightFormat::int8, WeightFormat::int4};

std::string_view to_string(WeightFormat format) noexcept;
// Throws Error{invalid_argument} that lists the names there are.
WeightFormat weight_format_from(std::string_view name);

// The number type that activations are rounded to before they meet weights of this format.
constexpr Operand operand_of(WeightFormat format) noexcept {
  return format == WeightFormat::f32 ? Operand::f32 : Operand::bf16;
}
// Formats whose tiles are expanded to bf16, and whose sums have a multiplier a column.
constexpr bool is_quantized(WeightFormat format) noexcept {
  return format == WeightFormat::int8 || format == WeightFormat::int4;
}

// Of the two tiles (32 k by 2 times 16 columns) that are a step of the stream of a pair.
std::size_t step_bytes_of(WeightFormat format) noexcept;
// Of a pair: its steps, then, if quantized, 32 float multipliers. All multiples of 64.
std::size_t pair_bytes_of(WeightFormat format, std::size_t depth) noexcept;
// Where the multipliers of a pair begin.
std::size_t multipliers_offset(WeightFormat format, std::size_t depth) noexcept;

// A matrix that has memory of its own ends with this many readable bytes more.
inline constexpr std::size_t kWeightPadding = 8192;

// Immutable once filled; copies share the memory. out[i][n] = sum over k of x[i][k] * W[n][k].
class Weight {
 public:
  Weight() = default;
  // Zeros. `columns` is the number of outputs (rows of the checkpoint's tensor), `depth` the
  // number of inputs. Throws Error{out_of_memory}.
  Weight(WeightFormat format, std::size_t columns, std::size_t depth, std::size_t stack = 1);
  // A view of packed pairs that lie elsewhere, in a mapped file say: total_bytes() at `data`, which
  // must be aligned to 64 bytes. `owner` keeps them alive. Kernels may prefetch beyond the end but
  // never read there.
  Weight(WeightFormat format, std::size_t columns, std::size_t depth, std::size_t stack,
         std::shared_ptr<const void> owner, const std::byte* data);

  WeightFormat format() const noexcept { return format_; }
  std::size_t columns() const noexcept { return columns_; }
  std::size_t depth() const noexcept { return depth_; }
  std::size_t stack() const noexcept { return stack_; }
  std::size_t pairs() const noexcept { return tiles_of(columns_, kPairColumns); }
  std::size_t depth_tiles() const noexcept { return tiles_of(depth_, kTileDepth); }
  std::size_t pair_bytes() const noexcept { return pair_bytes_; }
  std::size_t matrix_bytes() const noexcept { return pairs() * pair_bytes(); }
  std::size_t total_bytes() const noexcept { return stack_ * matrix_bytes(); }
  bool empty() const noexcept { return data_ == nullptr; }

  // 32 columns (two panels) of matrix i: one stream of depth_tiles() * 2 tiles.
  const std::byte* pair(std::size_t i, std::size_t pair) const noexcept {
    return data_ + i * matrix_bytes() + pair * pair_bytes();
  }
  // What the sums of the 32 columns of a pair are multiplied by. Quantized formats only.
  const float* multipliers(std::size_t i, std::size_t pair) const noexcept;
  // For whoever fills the matrix, before it is shared. Not for views.
  std::byte* mutable_pair(std::size_t i, std::size_t pair) noexcept;

 private:
  WeightFormat format_ = WeightFormat::bf16;
  std::size_t columns_ = 0;
  std::size_t depth_ = 0;
  std::size_t stack_ = 1;
  std::size_t pair_bytes_ = 0;
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::byte* mutable_data_ = nullptr;  // null for views
};

}  // namespace vl2
