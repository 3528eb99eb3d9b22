// SPDX-License-Identifier: MIT
// How much memory there is, so that what cannot fit is refused before the system kills us.
#pragma once

#include <cstddef>

namespace vl2 {

// Bytes this process can hope for: the machine's memory, or its control group's limit if that is
// lower. What others are using is not taken off.
std::size_t memory_limit_bytes();

}  // namespace vl2
