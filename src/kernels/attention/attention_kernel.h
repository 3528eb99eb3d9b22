// SPDX-License-Identifier: MIT
// The parts of attention that are written per instruction set. The walk over blocks, segments and
// pages is one piece of code for all of them (walk.h); products are MatmulKernel's.
#pragma once

#include <cstddef>
#include <span>

#include "base/cpu.h"
#include "tensor/tiles.h"

namespace vl2 {

struct AttentionKernel {
  const char* name;
  Isa isa;
  Operand operand;
};

std::span<const AttentionKernel> attention_kernels();
// The kernel of an instruction set, or of the nearest plainer one that has it.
const AttentionKernel& attention_kernel(Isa isa, Operand operand);

}  // namespace vl2
