// SPDX-License-Identifier: MIT
// Pillow's bicubic `resize`, byte for byte.
#pragma once

#include "vl2/image.h"

namespace vl2 {

// `image` at width x height, both at least 1. Cubic convolution with a = -0.5 whose support grows
// with the reduction; horizontal pass first, rounded to 8 bits between the passes; a pass that
// would change nothing is skipped. Weights are integers with 22 fraction bits, so that the result
// is the same on every machine.
Image resize_bicubic(const Image& image, int width, int height);

}  // namespace vl2
