// SPDX-License-Identifier: MIT
// Assertions for our own mistakes. Mistakes of users and files are vl2::Error.
#pragma once

namespace vl2 {

// Prints what failed and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace vl2

// Checked in every build: use where the cost does not matter.
#define VL2_CHECK(condition)                           \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::vl2::assertion_failed(#condition, __FILE__, __LINE__))

// Checked in builds without NDEBUG.
#ifdef NDEBUG
#define VL2_ASSERT(condition) static_cast<void>(0)
#else
#define VL2_ASSERT(condition) VL2_CHECK(condition)
#endif
