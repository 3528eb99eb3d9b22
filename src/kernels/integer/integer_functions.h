// SPDX-License-Identifier: MIT
// The functions that kernel_table.cc puts together.
#pragma once

#include <cstddef>

#include "kernels/integer/integer_block.h"

namespace vl2::integer_functions {

void portable_expand(const std::byte* steps, std::size_t count, std::byte* tiles);
void portable(const IntegerBlock& block);
void avx2_expand(const std::byte* steps, std::size_t count, std::byte* tiles);
void avx2(const IntegerBlock& block);
void avx512_expand(const std::byte* steps, std::size_t count, std::byte* tiles);
void avx512(const IntegerBlock& block);

}  // namespace vl2::integer_functions
