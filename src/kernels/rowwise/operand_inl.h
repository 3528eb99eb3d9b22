// SPDX-License-Identifier: MIT
// Vectors of floats to and from the number types of matmul operands.
#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "kernels/rowwise/lanes_inl.h"
#include "tensor/tiles.h"

#if defined(VL2_ROWWISE_OPERAND_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef VL2_ROWWISE_OPERAND_INL
#undef VL2_ROWWISE_OPERAND_INL
#else
#define VL2_ROWWISE_OPERAND_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {

// to_bf16() of base/scalar.h in every lane.
HWY_INLINE hn::Vec<HalfBitsTag> to_bf16_bits(Floats x) {
  const BitsTag tag;
  const auto bits = hn::BitCast(tag, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(tag, 1U));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(tag, 0x7fffU)), odd);
  const auto quiet = hn::Or(bits, hn::Set(tag, 0x400000U));
  const auto chosen = hn::IfThenElse(hn::RebindMask(tag, hn::IsNaN(x)), quiet, rounded);
  return hn::TruncateTo(HalfBitsTag(), hn::ShiftRight<16>(chosen));
}

HWY_INLINE Floats widen_bits(const std::uint16_t* x) {
  const BitsTag tag;
  const auto bits = hn::PromoteTo(tag, hn::LoadU(HalfBitsTag(), x));
  return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(bits));
}

// Numbers i .. i + kLanes of a line.
template <Operand operand>
HWY_INLINE void store_operand(Floats x, std::byte* line, std::size_t i) {
  if constexpr (operand == Operand::f32) {
    hn::StoreU(x, FloatTag(), reinterpret_cast<float*>(line) + i);
  } else {
    hn::StoreU(to_bf16_bits(x), HalfBitsTag(), reinterpret_cast<std::uint16_t*>(line) + i);
  }
}
template <Operand operand>
HWY_INLINE Floats load_operand(const std::byte* line, std::size_t i) {
  if constexpr (operand == Operand::f32) {
    return hn::LoadU(FloatTag(), reinterpret_cast<const float*>(line) + i);
  } else {
    return widen_bits(reinterpret_cast<const std::uint16_t*>(line) + i);
  }
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
