// SPDX-License-Identifier: MIT
// The configurations of the released DeepSeek-VL2 models, to measure speed without their weights.
#pragma once

#include <span>
#include <string_view>

#include "checkpoint/model_config.h"

namespace vl2 {

ModelConfig tiny_shape();   // DeepSeek-VL2-Tiny, 3B
ModelConfig small_shape();  // DeepSeek-VL2-Small, 16B
ModelConfig full_shape();   // DeepSeek-VL2, 27B

// tiny, small, full.
std::span<const std::string_view> model_shape_names();

// Throws Error{invalid_argument} that lists the names there are.
ModelConfig model_shape(std::string_view name);

}  // namespace vl2
