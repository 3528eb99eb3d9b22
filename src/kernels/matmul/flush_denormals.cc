// SPDX-License-Identifier: MIT
#include "kernels/matmul/matmul_kernel.h"

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

namespace vl2 {
namespace {

#if defined(__x86_64__)
constexpr unsigned kFlush = 0x8040U;  // MXCSR: flush to zero, denormals are zero
unsigned float_modes() { return _mm_getcsr(); }
void set_float_modes(unsigned modes) { _mm_setcsr(modes); }
#elif defined(__aarch64__)
constexpr unsigned kFlush = 1U << 24;  // FPCR.FZ
unsigned float_modes() {
  unsigned long modes = 0;
  asm volatile("mrs %0, fpcr" : "=r"(modes));
  return static_cast<unsigned>(modes);
}
void set_float_modes(unsigned modes) {
  asm volatile("msr fpcr, %0" ::"r"(static_cast<unsigned long>(modes)));
}
#else
constexpr unsigned kFlush = 0;
unsigned float_modes() { return 0; }
void set_float_modes(unsigned) {}
#endif

}  // namespace

FlushDenormals::FlushDenormals() noexcept : before_(float_modes()) {
  set_float_modes(before_ | kFlush);
}
FlushDenormals::~FlushDenormals() { set_float_modes(before_); }

}  // namespace vl2
