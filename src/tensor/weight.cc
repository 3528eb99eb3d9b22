// SPDX-License-Identifier: MIT
#include "tensor/weight.h"

#include <string>

#include "vl2/error.h"

namespace vl2 {

std::string_view to_string(WeightFormat format) noexcept {
  switch (format) {
    case WeightFormat::f32:
      return "f32";
    case WeightFormat::bf16:
      return "bf16";
  }
  return "unknown";
}

WeightFormat weight_format_from(std::string_view name) {
  for (const WeightFormat format : {WeightFormat::f32, WeightFormat::bf16})
    if (to_string(format) == name) return format;
  throw Error(ErrorCode::invalid_argument,
              "unknown weight format \"" + std::string(name) + "\": use f32 or bf16");
}

Weight::Weight(WeightFormat format, std::size_t columns, std::size_t depth, std::size_t stack)
    : format_(format), columns_(columns), depth_(depth), stack_(stack) {
  storage_ = std::make_shared<AlignedBuffer>(total_bytes() + kWeightPadding);
}

std::size_t Weight::pair_bytes() const noexcept {
  return depth_tiles() * 2 * kTileNumbers * bytes_of(operand_of(format_));
}

}  // namespace vl2
