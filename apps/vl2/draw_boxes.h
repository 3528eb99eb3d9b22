// SPDX-License-Identifier: MIT
// Pictures with the boxes that an answer names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "vl2/engine.h"
#include "vl2/image.h"

namespace vl2 {

// Writes `image` to `path` as PNG, whole or not at all. Every box is a frame three pixels wide
// inside its corners, in one of 13 colours that take turns; its label stands 20 pixels above its
// upper left corner, moved where that is outside the picture. Boxes may lie partly outside and have
// their corners in any order. Throws Error{io} when the file cannot be written and
// Error{unsupported} for pictures of more than 32767 pixels a side.
void draw_boxes(const Image& image, std::span<const Box> boxes, const std::filesystem::path& path);

struct Drawing {
  std::size_t image = 0;  // index over all pictures of the conversation
  std::filesystem::path path;
};

// The pictures that `boxes` lie on, in order. The first gets the path as it is, OUT.png, the
// following ones OUT-2.png, OUT-3.png, ...
std::vector<Drawing> plan_drawings(std::span<const Box> boxes, const std::filesystem::path& path);

// Throws Error{io} where nothing could be written anyway, so that nobody waits for an answer first.
void require_writable_place(const std::filesystem::path& path);

}  // namespace vl2
