// SPDX-License-Identifier: MIT
// The part of pack.h that is about quantized formats.
#pragma once

#include "kernels/matmul/pack.h"

namespace vl2 {

void pack_quantized_pair(WeightFormat format, const PairRows<Bf16>& rows, std::size_t depth,
                         Importance importance, std::byte* out);
void pack_quantized_pair(WeightFormat format, const PairRows<float>& rows, std::size_t depth,
                         Importance importance, std::byte* out);

// Numbers of column n of a pair, [depth].
void unpack_quantized_column(WeightFormat format, const std::byte* pair, std::size_t n,
                             std::size_t depth, float* out);

}  // namespace vl2
