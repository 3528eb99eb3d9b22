// SPDX-License-Identifier: MIT
// 2^t for t <= 0: with n = t rounded to the nearest integer (ties to even) and f = t - n,
// 2^t = 2^n * p(f), evaluated from the highest power down with fused multiply-adds. A result below
// 2^-126 is zero (the thread flushes denormals).
//
// p is the polynomial of degree 5 on [-1/2, 1/2] with the smallest largest relative error (9.1e-8;
// 1.5e-7 with fp32 rounding) among those with p(0) = 1 exactly. That 2^0 is 1 to the last bit is
// what lets results stay as they are when a maximum does not grow.
#pragma once

namespace vl2 {

inline constexpr float kExp2C1 = 0.693147004F;
inline constexpr float kExp2C2 = 0.240222424F;
inline constexpr float kExp2C3 = 0.0555073358F;
inline constexpr float kExp2C4 = 0.00967151392F;
inline constexpr float kExp2C5 = 0.00132647296F;
// Below it the result is zero whatever f is.
inline constexpr float kExp2Lowest = -127.0F;

}  // namespace vl2
