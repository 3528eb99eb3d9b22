// SPDX-License-Identifier: MIT
// Where the weights of a model come from: packed while a released checkpoint is read, or as they
// lie in a packed folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/recipe.h"
#include "kernels/ops.h"
#include "model/matrix_spec.h"

namespace vl2 {

// Every member throws Error{bad_checkpoint} naming what is missing, has another shape than the
// configuration says, or holds a NaN or an infinity.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  virtual Recipe recipe() const noexcept = 0;
  // Whether there is a head of its own, which models with tied embeddings may lack.
  virtual bool has_head(const std::string& tensor) const = 0;

  virtual Weight matrix(const MatrixSpec& spec) = 0;
  // A tensor of numbers that are used one by one, in fp32.
  virtual std::vector<float> vector(const std::string& tensor,
                                    const std::vector<std::size_t>& shape) = 0;
  virtual EmbeddingTable embedding(const std::string& tensor, std::size_t count,
                                   std::size_t width) = 0;
};

}  // namespace vl2
