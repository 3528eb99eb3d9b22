// SPDX-License-Identifier: MIT
// What a request may ask for.
#pragma once

#include <cstddef>

#include "vl2/engine.h"

namespace vl2 {

// Temperatures between 0 and this one are refused: logits divided by them would overflow.
inline constexpr double kLeastTemperature = 1e-6;
inline constexpr std::size_t kMostLogprobs = 100;

// Throws Error{invalid_argument} naming the option, its value and what it may be.
void check_options(const GenerationOptions& options);

}  // namespace vl2
