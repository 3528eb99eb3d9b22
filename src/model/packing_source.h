// SPDX-License-Identifier: MIT
// Weights of a released checkpoint, packed in memory while they are read.
#pragma once

#include <functional>

#include "base/parallel.h"
#include "model/tensor_source.h"
#include "model/weight_source.h"

namespace vl2 {

// Matrices are read in slabs whose memory goes back to the system at once, so that little more is
// held than the result.
class PackingSource final : public WeightSource {
 public:
  // Called often, with the bytes of the checkpoint that have been read so far. What it throws ends
  // the loading.
  using Progress = std::function<void(std::size_t bytes)>;

  // `source` is borrowed.
  PackingSource(const TensorSource& source, Recipe recipe, const ThreadTeam& team,
                Progress progress = {});

  Recipe recipe() const noexcept override { return recipe_; }
  bool has_head(const std::string& tensor) const override { return source_.has(tensor); }
  Weight matrix(const MatrixSpec& spec) override;
  std::vector<float> vector(const std::string& tensor,
                            const std::vector<std::size_t>& shape) override;
  EmbeddingTable embedding(const std::string& tensor, std::size_t count,
                           std::size_t width) override;

 private:
  void done(std::size_t bytes);

  const TensorSource& source_;
  Recipe recipe_;
  ThreadTeam team_;
  Progress progress_;
  std::size_t bytes_ = 0;
};

}  // namespace vl2
