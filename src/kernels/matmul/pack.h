// SPDX-License-Identifier: MIT
// From a checkpoint's row-major matrices to panels and back.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/scalar.h"
#include "tensor/weight.h"

namespace vl2 {

// The 32 rows of the checkpoint's tensor that become the columns of one pair of panels. A null
// pointer stands for a row of zeros (padding, or the missing half of a pair).
template <class T>
using PairRows = std::array<const T*, kPairColumns>;

// Packs `depth` numbers of each row into the pair at `out` (Weight::mutable_pair). Numbers beyond
// depth are zero. bf16 to bf16 is exact; f32 to bf16 rounds to nearest even.
void pack_pair(WeightFormat format, const PairRows<Bf16>& rows, std::size_t depth, std::byte* out);
void pack_pair(WeightFormat format, const PairRows<float>& rows, std::size_t depth, std::byte* out);

// A whole matrix of the stack from row-major [columns][depth] numbers.
void pack_matrix(std::span<const Bf16> source, Weight& weight, std::size_t matrix = 0);
void pack_matrix(std::span<const float> source, Weight& weight, std::size_t matrix = 0);

// Row-major floats again, for tests and reports of quality.
void unpack_matrix(const Weight& weight, std::size_t matrix, std::span<float> out);

}  // namespace vl2
