// SPDX-License-Identifier: MIT
// From a checkpoint's row-major matrices to panels and back.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/parallel.h"
#include "base/scalar.h"
#include "tensor/weight.h"

namespace vl2 {

// The 32 rows of the checkpoint's tensor that become the columns of one pair of panels. A null
// pointer stands for a row of zeros (padding, or the missing half of a pair).
template <class T>
using PairRows = std::array<const T*, kPairColumns>;

// How much an error of weight k matters: the mean of activation k squared, from calibration. All
// finite and at least 0; empty: all the same. Ignored by formats that are not quantized.
using Importance = std::span<const float>;

// Packs `depth` numbers of each row into the pair at `out` (Weight::mutable_pair). bf16 to bf16 is
// exact; f32 to bf16 rounds to nearest even; to int8 and int4 scales are searched for the least
// squared error, each row by itself. The bytes are a function of the arguments alone: the same on
// every processor. Numbers beyond depth are zero in f32 and bf16 and meaningless in quantized
// formats (they meet zeros); rows that are null or zero give exact zeros in all.
void pack_pair(WeightFormat format, const PairRows<Bf16>& rows, std::size_t depth, std::byte* out,
               Importance importance = {});
void pack_pair(WeightFormat format, const PairRows<float>& rows, std::size_t depth, std::byte* out,
               Importance importance = {});

// A whole matrix of the stack from row-major [columns][depth] numbers.
void pack_matrix(std::span<const Bf16> source, Weight& weight, std::size_t matrix = 0,
                 Importance importance = {});
void pack_matrix(std::span<const float> source, Weight& weight, std::size_t matrix = 0,
                 Importance importance = {});

// The same matrices in another format, packed by all threads of the team. Throws
// Error{out_of_memory}.
Weight repacked(const Weight& weight, WeightFormat format, const ThreadTeam& team);

// Row-major floats again.
void unpack_matrix(const Weight& weight, std::size_t matrix, std::span<float> out);

// What a format loses. Add those of several matrices for the error of all together.
struct WeightError {
  double squared_error = 0.0;
  double squared_size = 0.0;
  double largest_error = 0.0;

  // Root mean square of the error by that of the weights; 0 if all weights are 0.
  double relative() const noexcept;
  WeightError& operator+=(const WeightError& other) noexcept;
};
// Of the matrix that was packed from `source`.
WeightError weight_error(std::span<const Bf16> source, const Weight& weight,
                         std::size_t matrix = 0);
WeightError weight_error(std::span<const float> source, const Weight& weight,
                         std::size_t matrix = 0);

}  // namespace vl2
