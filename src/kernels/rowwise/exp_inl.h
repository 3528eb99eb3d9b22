// SPDX-License-Identifier: MIT
// e^x for numbers that are not positive, and the activations that are built from it: each of them
// is written with e^-|..|, so that nothing overflows.
#include <hwy/highway.h>

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
HWY_INLINE Floats exp_in_range(Floats x) {
  const Floats magic = splat(12582912.0F);
  const Floats shifted = hn::MulAdd(x, splat(1.44269504F), magic);
  const Floats n = hn::Sub(shifted, magic);
  Floats r = hn::NegMulAdd(n, splat(0.693145751953125F), x);
  r = hn::NegMulAdd(n, splat(1.42860677e-6F), r);
  Floats p = hn::MulAdd(splat(0.00831247773F), r, splat(0.0418905504F));
  p = hn::MulAdd(p, r, splat(0.166671157F));
  p = hn::MulAdd(p, r, splat(0.499992281F));
  p = hn::MulAdd(p, r, splat(1.0F));
  p = hn::MulAdd(p, r, splat(1.0F));
  const BitsTag bits;
  return hn::BitCast(FloatTag(),
                     hn::Add(hn::BitCast(bits, p), hn::ShiftLeft<23>(hn::BitCast(bits, shifted))));
}

// The same for every x <= 0 (minus infinity included) and NaN.
HWY_INLINE Floats exp_nonpositive(Floats x) {
  const Floats value = hn::IfThenZeroElse(hn::Lt(x, splat(kExpUnderflow)), exp_in_range(x));
  return hn::IfThenElse(hn::IsNaN(x), x, value);
}

// x / (1 + e^-t) for a t of x's sign with |t| = w, as
//   max(x, 0) - |x| e^-w / (1 + e^-w),
// which is x or 0 exactly where w is large or infinite, and NaN where x is.
HWY_INLINE Floats times_sigmoid(Floats x, Floats magnitude, Floats w) {
  const Floats e = exp_in_range(hn::Neg(w));
  const Floats rest = hn::Div(hn::Mul(magnitude, e), hn::Add(splat(1.0F), e));
  return hn::Sub(hn::Max(x, hn::Zero(FloatTag())),
                 hn::IfThenZeroElse(hn::Gt(w, splat(-kExpUnderflow)), rest));
}

HWY_INLINE Floats silu(Floats x) {
  const Floats magnitude = hn::Abs(x);
  return times_sigmoid(x, magnitude, magnitude);
}

// x/2 (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2/pi) (x + 0.044715 x^3).
HWY_INLINE Floats gelu_tanh(Floats x) {
  constexpr float kLinear = 1.59576912F;   // 2 sqrt(2/pi)
  constexpr float kCubic = 0.0713548163F;  // 2 sqrt(2/pi) 0.044715
  const Floats magnitude = hn::Abs(x);
  const Floats slope = hn::MulAdd(splat(kCubic), hn::Mul(x, x), splat(kLinear));
  return times_sigmoid(x, magnitude, hn::Mul(magnitude, slope));
}

// x/2 (1 + erf(x / sqrt 2)) = max(x, 0) - a/2 erfc(a / sqrt 2), a = |x|. The logarithm of erfc is
// smooth: erfc(a / sqrt 2) = e^(-a p(a)), p minimax of degree 7 on 0..6 for the error of the whole
// (9.4e-9). Beyond 6 the second term is below 6e-9 and counts as zero.
HWY_INLINE Floats gelu_erf(Floats x) {
  const Floats a = hn::Abs(x);
  Floats p = hn::MulAdd(splat(1.28628881e-06F), a, splat(-1.90688297e-05F));
  p = hn::MulAdd(p, a, splat(8.93450997e-05F));
  p = hn::MulAdd(p, a, splat(0.000192907712F));
  p = hn::MulAdd(p, a, splat(-0.00502786739F));
  p = hn::MulAdd(p, a, splat(0.03648277F));
  p = hn::MulAdd(p, a, splat(0.318265527F));
  p = hn::MulAdd(p, a, splat(0.797889531F));
  const Floats erfc = exp_in_range(hn::Neg(hn::Mul(a, p)));
  const Floats rest = hn::Mul(hn::Mul(splat(0.5F), a), erfc);
  return hn::Sub(hn::Max(x, hn::Zero(FloatTag())),
                 hn::IfThenZeroElse(hn::Gt(a, splat(6.0F)), rest));
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
