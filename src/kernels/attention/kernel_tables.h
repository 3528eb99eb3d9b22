// SPDX-License-Identifier: MIT
// What each instruction set's file provides: its kernel of an operand type.
#pragma once

#include "kernels/attention/attention_kernel.h"

namespace vl2 {

AttentionKernel attention_portable(Operand operand);
AttentionKernel attention_avx2(Operand operand);
AttentionKernel attention_avx512(Operand operand);

}  // namespace vl2
