// SPDX-License-Identifier: MIT
#include "tensor/weight.h"

#include <cstdint>
#include <string>
#include <utility>

#include "vl2/error.h"

#include "base/check.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"

namespace vl2 {

std::string_view to_string(WeightFormat format) noexcept {
  switch (format) {
    case WeightFormat::f32:
      return "f32";
    case WeightFormat::bf16:
      return "bf16";
    case WeightFormat::int8:
      return "int8";
    case WeightFormat::int4:
      return "int4";
  }
  return "unknown";
}

WeightFormat weight_format_from(std::string_view name) {
  for (const WeightFormat format : kAllWeightFormats)
    if (to_string(format) == name) return format;
  throw Error(ErrorCode::invalid_argument,
              "unknown weight format \"" + std::string(name) + "\": use f32, bf16, int8 or int4");
}

std::size_t step_bytes_of(WeightFormat format) noexcept {
  switch (format) {
    case WeightFormat::f32:
      return 2 * kTileNumbers * sizeof(float);
    case WeightFormat::bf16:
      return 2 * kTileNumbers * sizeof(Bf16);
    case WeightFormat::int8:
      return int8::kStepBytes;
    case WeightFormat::int4:
      return int4::kStepBytes;
  }
  return 0;
}

std::size_t multipliers_offset(WeightFormat format, std::size_t depth) noexcept {
  return tiles_of(depth, kTileDepth) * step_bytes_of(format);
}

std::size_t pair_bytes_of(WeightFormat format, std::size_t depth) noexcept {
  return multipliers_offset(format, depth) +
         (is_quantized(format) ? kPairColumns * sizeof(float) : 0);
}

Weight::Weight(WeightFormat format, std::size_t columns, std::size_t depth, std::size_t stack)
    : format_(format),
      columns_(columns),
      depth_(depth),
      stack_(stack),
      pair_bytes_(pair_bytes_of(format, depth)) {
  const auto storage = std::make_shared<AlignedBuffer>(total_bytes() + kWeightPadding);
  data_ = mutable_data_ = storage->data();
  owner_ = storage;
}

Weight::Weight(WeightFormat format, std::size_t columns, std::size_t depth, std::size_t stack,
               std::shared_ptr<const void> owner, const std::byte* data)
    : format_(format),
      columns_(columns),
      depth_(depth),
      stack_(stack),
      pair_bytes_(pair_bytes_of(format, depth)),
      owner_(std::move(owner)),
      data_(data) {
  VL2_CHECK(reinterpret_cast<std::uintptr_t>(data) % 64 == 0);
}

const float* Weight::multipliers(std::size_t i, std::size_t pair) const noexcept {
  VL2_ASSERT(is_quantized(format_));
  return reinterpret_cast<const float*>(this->pair(i, pair) + multipliers_offset(format_, depth_));
}

std::byte* Weight::mutable_pair(std::size_t i, std::size_t pair) noexcept {
  VL2_CHECK(mutable_data_ != nullptr);
  return mutable_data_ + i * matrix_bytes() + pair * pair_bytes();
}

}  // namespace vl2
