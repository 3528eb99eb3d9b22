// SPDX-License-Identifier: MIT
// What each instruction set's file provides.
#pragma once

#include "kernels/attention/attention_kernel.h"

namespace vl2 {

extern const AttentionKernel kAttentionPortableF32;
extern const AttentionKernel kAttentionPortableBf16;
extern const AttentionKernel kAttentionAvx2F32;
extern const AttentionKernel kAttentionAvx2Bf16;
extern const AttentionKernel kAttentionAvx512F32;
extern const AttentionKernel kAttentionAvx512Bf16;

}  // namespace vl2
