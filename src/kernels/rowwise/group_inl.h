// SPDX-License-Identifier: MIT
// Several vectors at once, operation by operation. A chain of twenty dependent operations leaves
// most of a processor idle; a few such chains side by side fill it.
#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "kernels/rowwise/lanes_inl.h"

#if defined(VL2_ROWWISE_GROUP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef VL2_ROWWISE_GROUP_INL
#undef VL2_ROWWISE_GROUP_INL
#else
#define VL2_ROWWISE_GROUP_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {

template <std::size_t count>
struct Group {
  Floats vectors[count];
};

// Vector i of an operand: a constant is the same for all.
HWY_INLINE Floats vector_of(Floats x, std::size_t /*i*/) { return x; }
template <std::size_t count>
HWY_INLINE Floats vector_of(const Group<count>& x, std::size_t i) {
  return x.vectors[i];
}

// x * y + z.
template <std::size_t count, class Y, class Z>
HWY_INLINE Group<count> mul_add(const Group<count>& x, const Y& y, const Z& z) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i)
    out.vectors[i] = hn::MulAdd(x.vectors[i], vector_of(y, i), vector_of(z, i));
  return out;
}
// z - x * y.
template <std::size_t count, class Y, class Z>
HWY_INLINE Group<count> neg_mul_add(const Group<count>& x, const Y& y, const Z& z) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i)
    out.vectors[i] = hn::NegMulAdd(x.vectors[i], vector_of(y, i), vector_of(z, i));
  return out;
}
template <std::size_t count, class Y>
HWY_INLINE Group<count> add(const Group<count>& x, const Y& y) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i) out.vectors[i] = hn::Add(x.vectors[i], vector_of(y, i));
  return out;
}
template <std::size_t count, class Y>
HWY_INLINE Group<count> sub(const Group<count>& x, const Y& y) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i) out.vectors[i] = hn::Sub(x.vectors[i], vector_of(y, i));
  return out;
}
template <std::size_t count, class Y>
HWY_INLINE Group<count> mul(const Group<count>& x, const Y& y) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i) out.vectors[i] = hn::Mul(x.vectors[i], vector_of(y, i));
  return out;
}
template <std::size_t count>
HWY_INLINE Group<count> div(const Group<count>& x, const Group<count>& y) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i) out.vectors[i] = hn::Div(x.vectors[i], y.vectors[i]);
  return out;
}
template <std::size_t count>
HWY_INLINE Group<count> abs(const Group<count>& x) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i) out.vectors[i] = hn::Abs(x.vectors[i]);
  return out;
}
template <std::size_t count>
HWY_INLINE Group<count> neg(const Group<count>& x) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i) out.vectors[i] = hn::Neg(x.vectors[i]);
  return out;
}
// max(x, 0).
template <std::size_t count>
HWY_INLINE Group<count> positive_part(const Group<count>& x) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i)
    out.vectors[i] = hn::Max(x.vectors[i], hn::Zero(FloatTag()));
  return out;
}
// x, but 0 where `by` is above the limit.
template <std::size_t count>
HWY_INLINE Group<count> zero_beyond(float limit, const Group<count>& by, const Group<count>& x) {
  Group<count> out;
  for (std::size_t i = 0; i < count; ++i)
    out.vectors[i] = hn::IfThenZeroElse(hn::Gt(by.vectors[i], splat(limit)), x.vectors[i]);
  return out;
}
// x * 2^n, where n stands in the low bits of `power` and the result is a normal number.
template <std::size_t count>
HWY_INLINE Group<count> add_to_exponent(const Group<count>& x, const Group<count>& power) {
  Group<count> out;
  const BitsTag bits;
  for (std::size_t i = 0; i < count; ++i)
    out.vectors[i] =
        hn::BitCast(FloatTag(), hn::Add(hn::BitCast(bits, x.vectors[i]),
                                        hn::ShiftLeft<23>(hn::BitCast(bits, power.vectors[i]))));
  return out;
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
