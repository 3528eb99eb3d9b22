// SPDX-License-Identifier: MIT
// The numbers of a checkpoint's tensor, as floats.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "checkpoint/safetensors.h"

namespace vl2 {

// Every function here throws Error{unsupported}, naming tensor and file, when the dtype is not
// f32, bf16 or f16, and Error{bad_checkpoint} when a size does not fit the tensor. All are
// thread-safe, so that several threads can read parts of one tensor.

// Does nothing but throw if the dtype cannot be read.
void require_float_type(const TensorView& tensor);

// Writes all numbers, row-major. out.size() must be the tensor's count().
void read_floats(const TensorView& tensor, std::span<float> out);

// Writes `row_count` rows from `first_row` on. A row is one index of the first dimension with
// everything below it. out.size() must be row_count rows.
void read_float_rows(const TensorView& tensor, std::size_t first_row, std::size_t row_count,
                     std::span<float> out);

// The index, in row-major order, of the first NaN or infinity, if there is one. Reads the whole
// tensor from disk.
std::optional<std::size_t> first_non_finite(const TensorView& tensor);

// Throws Error{bad_checkpoint} naming tensor, file and place when first_non_finite() finds one.
void require_finite(const TensorView& tensor);

}  // namespace vl2
