// SPDX-License-Identifier: MIT
// How much memory there is, so that what cannot fit is refused before the system kills us.
#pragma once

#include <cstddef>

namespace vl2 {

struct MemoryThere {
  // The machine's memory, or the control group's limit if that is lower.
  std::size_t limit_bytes = 0;
  // What others leave of it, with the swap space they leave. Files in the system's cache count as
  // free.
  std::size_t free_bytes = 0;
};

MemoryThere memory_there();

}  // namespace vl2
