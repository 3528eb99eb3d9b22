// SPDX-License-Identifier: MIT
// Boxes in answers: `<|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], ...]<|/det|>`, corners in
// thousandths of the picture, 0 to 999.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vl2 {

// A box as the model wrote it: not clamped, corners in any order, fractions possible.
struct GroundedBox {
  std::string label;
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;
};

// A box in a picture's pixels, which may lie outside it: 999 maps to the width itself.
struct PixelBox {
  std::int64_t x1 = 0;
  std::int64_t y1 = 0;
  std::int64_t x2 = 0;
  std::int64_t y2 = 0;

  bool operator==(const PixelBox&) const = default;
};

// The boxes of an answer, in order. Labels and lists of boxes are found separately and paired by
// their order; one label may have several boxes. As with the original, markup that does not fit
// gives nothing at all: different numbers of labels and lists, a label or list across lines, a
// box with fewer than four numbers or with anything else in it. Never throws.
std::vector<GroundedBox> parse_grounding(std::string_view answer);

// Corners in pixels of a picture of that size, truncated toward zero.
PixelBox to_pixels(const GroundedBox& box, int width, int height) noexcept;

}  // namespace vl2
