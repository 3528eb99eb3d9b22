// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace vl2 {

// Writes all of it, however often the system takes only a part or a signal interrupts. 0, or the
// errno of what went wrong; how much was written by then is not known.
int write_all(int descriptor, std::string_view bytes) noexcept;

}  // namespace vl2
