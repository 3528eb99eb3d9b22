// SPDX-License-Identifier: MIT
// Any text as an answer: boxes or none, never an exception, and corners that are numbers.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/grounding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  for (const vl2::GroundedBox& box : vl2::parse_grounding(answer)) {
    if (!std::isfinite(box.x1 + box.y1 + box.x2 + box.y2)) std::abort();
    vl2::to_pixels(box, 1 << 20, 1);
  }
  return 0;
}
