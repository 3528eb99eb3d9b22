// SPDX-License-Identifier: MIT
// What a packed matrix of the model is called, and which tensors of a released checkpoint it is
// made of.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "checkpoint/recipe.h"
#include "tensor/weight.h"

namespace vl2 {

// Rows of one tensor, read as [rows][width] with everything behind the first dimension in a row.
struct MatrixPart {
  std::string tensor;
  std::vector<std::size_t> shape;  // of the whole tensor
  std::size_t first_row = 0;
  std::size_t rows = 0;
};

enum class MatrixKind {
  plain,       // a part a matrix: its rows are the columns of the product
  gated,       // two parts a matrix, gate and up: panels of 16 rows take turns
  transposed,  // a part a matrix: its rows are the depth
};

// A matrix, or a stack of them that a layer uses together.
struct MatrixSpec {
  std::string name;  // in a packed folder
  WeightRole role = WeightRole::attention;
  MatrixKind kind = MatrixKind::plain;
  std::size_t columns = 0;
  std::size_t depth = 0;
  std::vector<MatrixPart> parts;

  std::size_t stack() const noexcept { return parts.size() / (kind == MatrixKind::gated ? 2 : 1); }
  std::size_t pairs() const noexcept { return tiles_of(columns, kPairColumns); }
  std::size_t bytes(WeightFormat format) const noexcept {
    return stack() * pairs() * pair_bytes_of(format, depth);
  }
};

}  // namespace vl2
