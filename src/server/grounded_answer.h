// SPDX-License-Identifier: MIT
// The boxes of an answer, as clients get them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vl2/engine.h"
#include "vl2/message.h"

#include "text/tokenizer.h"

namespace vl2 {

struct GroundedRegion {
  std::string label;
  std::size_t image = 0;              // index over all pictures of the conversation
  std::array<double, 4> box = {};     // x1, y1, x2, y2 in 0 to 999, as the model wrote them
  std::array<int, 4> pixels = {};     // the same in that picture's pixels
  std::optional<double> probability;  // of the box's tokens, one after the other
};

// `reports` has one entry a token, or none: then there are no probabilities. Of the pictures of
// `messages` only the sizes are looked at.
std::vector<GroundedRegion> grounded_regions(std::string_view text,
                                             std::span<const TokenReport> reports,
                                             const Tokenizer& tokenizer,
                                             std::span<const Message> messages);

}  // namespace vl2
