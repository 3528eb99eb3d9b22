// SPDX-License-Identifier: MIT
// What a step of a quantized pair becomes before it meets many rows. Included by files that are
// compiled for one instruction set, so it must not bring inline functions with it.
#pragma once

#include <cstddef>

namespace vl2 {

// Two bf16 tiles: the weights.
inline constexpr std::size_t kBf16StepBytes = 2048;
// Two bf16 tiles of int4's levels, and their scales: fp32 [k / 16][32 columns].
inline constexpr std::size_t kLevelStepBytes = kBf16StepBytes + 256;
inline constexpr std::size_t kLargestExpandedStepBytes = kLevelStepBytes;

}  // namespace vl2
