// SPDX-License-Identifier: MIT
// How well the boxes of an answer lie where they should.
#pragma once

#include <span>

#include "text/grounding.h"

namespace vl2 {

// The area both boxes cover, by the area that either covers: 1 for equal boxes, 0 for boxes that
// do not meet. Corners may come in any order; boxes without area meet nothing.
double overlap(const GroundedBox& a, const GroundedBox& b) noexcept;

// Pairs boxes of equal labels, the best overlaps first, none twice, and returns the mean overlap.
// Boxes without a partner, expected ones and others, count as 0. 1 if there are no boxes at all.
double mean_overlap(std::span<const GroundedBox> expected, std::span<const GroundedBox> actual);

}  // namespace vl2
