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
};

std::string_view to_string(WeightFormat format) noexcept;
// Throws Error{invalid_argument} that lists the names there are.
WeightFormat weight_format_from(std::string_view name);

// The number type that activations are rounded to before they meet weights of this format.
constexpr Operand operand_of(WeightFormat format) noexcept {
  return format == WeightFormat::f32 ? Operand::f32 : Operand::bf16;
}

// Every packed matrix ends with this many readable bytes more, because kernels read ahead.
inline constexpr std::size_t kWeightPadding = 8192;

// Immutable once filled; copies share the memory. out[i][n] = sum over k of x[i][k] * W[n][k].
class Weight {
 public:
  Weight() = default;
  // Zeros. `columns` is the number of outputs (rows of the checkpoint's tensor), `depth` the
  // number of inputs. Throws Error{out_of_memory}.
  Weight(WeightFormat format, std::size_t columns, std::size_t depth, std::size_t stack = 1);

  WeightFormat format() const noexcept { return format_; }
  std::size_t columns() const noexcept { return columns_; }
  std::size_t depth() const noexcept { return depth_; }
  std::size_t stack() const noexcept { return stack_; }
  std::size_t pairs() const noexcept { return tiles_of(columns_, kPairColumns); }
  std::size_t depth_tiles() const noexcept { return tiles_of(depth_, kTileDepth); }
  std::size_t pair_bytes() const noexcept;
  std::size_t matrix_bytes() const noexcept { return pairs() * pair_bytes(); }
  std::size_t total_bytes() const noexcept { return stack_ * matrix_bytes(); }
  bool empty() const noexcept { return storage_ == nullptr; }

  // 32 columns (two panels) of matrix i: one stream of depth_tiles() * 2 tiles.
  const std::byte* pair(std::size_t i, std::size_t pair) const noexcept {
    return storage_->data() + i * matrix_bytes() + pair * pair_bytes();
  }
  // For whoever fills the matrix, before it is shared.
  std::byte* mutable_pair(std::size_t i, std::size_t pair) noexcept {
    return storage_->data() + i * matrix_bytes() + pair * pair_bytes();
  }

 private:
  WeightFormat format_ = WeightFormat::bf16;
  std::size_t columns_ = 0;
  std::size_t depth_ = 0;
  std::size_t stack_ = 1;
  std::shared_ptr<AlignedBuffer> storage_;
};

}  // namespace vl2
