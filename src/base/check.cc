// SPDX-License-Identifier: MIT
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace vl2 {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "vl2: internal error: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace vl2
