// SPDX-License-Identifier: MIT
// Weights of a packed folder, used where they lie in the mapped files.
#pragma once

#include "checkpoint/packed_folder.h"
#include "model/weight_source.h"

namespace vl2 {

// Nothing but the vectors is read: matrices and the embedding are fetched when they are used.
// Weights keep the mapping alive, not the source.
class PackedSource final : public WeightSource {
 public:
  // `folder` is borrowed.
  explicit PackedSource(const PackedFolder& folder) : folder_(folder) {}

  Recipe recipe() const noexcept override { return folder_.description().recipe; }
  bool has_head(const std::string& tensor) const override;
  Weight matrix(const MatrixSpec& spec) override;
  std::vector<float> vector(const std::string& tensor,
                            const std::vector<std::size_t>& shape) override;
  EmbeddingTable embedding(const std::string& tensor, std::size_t count,
                           std::size_t width) override;

 private:
  WeightFormat format_of_matrix(const TensorView& tensor, const MatrixSpec& spec) const;

  const PackedFolder& folder_;
};

}  // namespace vl2
