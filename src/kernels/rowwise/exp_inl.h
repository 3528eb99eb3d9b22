// SPDX-License-Identifier: MIT
// e^x for numbers that are not positive, and the activations that are built from it: each of them
// is written with e^-|..|, so that nothing overflows.
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/rowwise/group_inl.h"
#include "kernels/rowwise/lanes_inl.h"

#if defined(VL2_ROWWISE_EXP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef VL2_ROWWISE_EXP_INL
#undef VL2_ROWWISE_EXP_INL
#else
#define VL2_ROWWISE_EXP_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {

// Below this e^x counts as zero; above it e^x is a normal number.
inline constexpr float kExpUnderflow = -87.0F;

// e^x for kExpUnderflow <= x <= 0, relative error below 2e-7, and 1 for 0. Anything for other x.
//
// x = n ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 * 2^23 rounds to an integer and leaves it in the
// low bits. ln 2 is split so that n times its first part (15 bits) is exact even without fused
// multiply-add. e^r = 1 + r + r^2 q(r), q minimax of degree 3 (error 1.05e-7).
template <std::size_t count>
HWY_INLINE Group<count> exp_in_range(const Group<count>& x) {
  const Floats magic = splat(12582912.0F);
  const Group<count> shifted = mul_add(x, splat(1.44269504F), magic);
  const Group<count> n = sub(shifted, magic);
  Group<count> r = neg_mul_add(n, splat(0.693145751953125F), x);
  r = neg_mul_add(n, splat(1.42860677e-6F), r);
  Group<count> p = mul_add(r, splat(0.00831247773F), splat(0.0418905504F));
  p = mul_add(p, r, splat(0.166671157F));
  p = mul_add(p, r, splat(0.499992281F));
  p = mul_add(p, r, splat(1.0F));
  p = mul_add(p, r, splat(1.0F));
  return add_to_exponent(p, shifted);
}

// The same for every x <= 0 (minus infinity included) and NaN.
HWY_INLINE Floats exp_nonpositive(Floats x) {
  const Floats value = exp_in_range(Group<1>{{x}}).vectors[0];
  return hn::IfThenElse(hn::IsNaN(x), x,
                        hn::IfThenZeroElse(hn::Lt(x, splat(kExpUnderflow)), value));
}

// x / (1 + e^-t) for a t of x's sign with |t| = w, as
//   max(x, 0) - |x| e^-w / (1 + e^-w),
// which is x or 0 exactly where w is large or infinite, and NaN where x is.
template <std::size_t count>
HWY_INLINE Group<count> times_sigmoid(const Group<count>& x, const Group<count>& magnitude,
                                      const Group<count>& w) {
  const Group<count> e = exp_in_range(neg(w));
  const Group<count> rest = div(mul(magnitude, e), add(e, splat(1.0F)));
  return sub(positive_part(x), zero_beyond(-kExpUnderflow, w, rest));
}

template <std::size_t count>
HWY_INLINE Group<count> silu(const Group<count>& x) {
  const Group<count> magnitude = abs(x);
  return times_sigmoid(x, magnitude, magnitude);
}

// x/2 (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2/pi) (x + 0.044715 x^3).
template <std::size_t count>
HWY_INLINE Group<count> gelu_tanh(const Group<count>& x) {
  constexpr float kLinear = 1.59576912F;   // 2 sqrt(2/pi)
  constexpr float kCubic = 0.0713548163F;  // 2 sqrt(2/pi) 0.044715
  const Group<count> magnitude = abs(x);
  const Group<count> slope = mul_add(mul(x, x), splat(kCubic), splat(kLinear));
  return times_sigmoid(x, magnitude, mul(magnitude, slope));
}

// x/2 (1 + erf(x / sqrt 2)) = max(x, 0) - a/2 erfc(a / sqrt 2), a = |x|. The logarithm of erfc is
// smooth: erfc(a / sqrt 2) = e^(-a p(a)), p minimax of degree 7 on 0..6 for the error of the whole
// (9.4e-9). Beyond 6 the second term is below 6e-9 and counts as zero.
template <std::size_t count>
HWY_INLINE Group<count> gelu_erf(const Group<count>& x) {
  const Group<count> a = abs(x);
  Group<count> p = mul_add(a, splat(1.28628881e-06F), splat(-1.90688297e-05F));
  p = mul_add(p, a, splat(8.93450997e-05F));
  p = mul_add(p, a, splat(0.000192907712F));
  p = mul_add(p, a, splat(-0.00502786739F));
  p = mul_add(p, a, splat(0.03648277F));
  p = mul_add(p, a, splat(0.318265527F));
  p = mul_add(p, a, splat(0.797889531F));
  const Group<count> erfc = exp_in_range(neg(mul(a, p)));
  return sub(positive_part(x), zero_beyond(6.0F, a, mul(mul(a, splat(0.5F)), erfc)));
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
