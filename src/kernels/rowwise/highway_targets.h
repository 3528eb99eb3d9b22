// SPDX-License-Identifier: MIT
// Which Highway targets the row-wise kernels are compiled for. Include before any Highway header:
// all files must agree, since rowwise.cc refers to the functions of the others target by target.
#pragma once

// SSE is left out (an x86 processor without AVX2 gets the plain loops), and so are targets whose
// vectors have no fixed length. AVX3_DL adds nothing that these kernels use.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
