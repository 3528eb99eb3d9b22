// SPDX-License-Identifier: MIT
// The structs that layers hold, put together from the matrices and vectors of a weight source.
// Knows the names and shapes of a released checkpoint.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/weight_source.h"

namespace vl2 {

// Throws what the source throws. Names are without ".weight".
class WeightLoader {
 public:
  // `source` is borrowed.
  explicit WeightLoader(WeightSource& source) : source_(source) {}

  Recipe recipe() const noexcept { return source_.recipe(); }
  // Memory of everything bound so far.
  std::size_t held_bytes() const noexcept { return held_bytes_; }

  bool has_head(const std::string& name) const { return source_.has_head(name + ".weight"); }

  std::vector<float> vector(const std::string& name, std::size_t size);
  Linear linear(WeightRole role, const std::string& name, std::size_t columns, std::size_t depth,
                bool bias);
  // A convolution whose stride is its kernel: [columns][channels][size][size] as a linear layer.
  Linear patch_embedding(const std::string& name, std::size_t columns, std::size_t channels,
                         std::size_t size);
  RmsNormWeights rms_norm(const std::string& name, std::size_t width, float eps);
  LayerNormWeights layer_norm(const std::string& name, std::size_t width, float eps);
  // name.gate_proj, name.up_proj, name.down_proj.
  GatedMlpWeights gated_mlp(WeightRole role, const std::string& name, std::size_t hidden,
                            std::size_t inner);
  // name.0.gate_proj ... name.(count - 1).down_proj.
  ExpertWeights experts(const std::string& name, std::size_t count, std::size_t hidden,
                        std::size_t inner);
  EmbeddingTable embedding(const std::string& name, std::size_t count, std::size_t width);
  // The matrix that makes logits; `tensor` is its own or, if it has none, the embedding.
  Linear head(const std::string& tensor, std::size_t columns, std::size_t depth);

  // kv_b_proj, whose rows are [head][k_nope | v], as two stacks of a matrix a head.
  struct LatentUp {
    Weight key;    // [head]: columns = kv_lora_rank, depth = qk_nope_head_dim (transposed)
    Weight value;  // [head]: columns = v_head_dim, depth = kv_lora_rank
  };
  struct LatentUpShape {
    std::size_t heads, qk_nope_head_dim, v_head_dim, kv_lora_rank;
  };
  LatentUp latent_up(const std::string& name, const LatentUpShape& shape);

  // vision.pos_embed: [1][count][width] in fp32.
  std::vector<float> position_embedding(const std::string& name, std::size_t count,
                                        std::size_t width);

 private:
  Weight matrix(const MatrixSpec& spec);
  std::vector<float> floats(const std::string& tensor, const std::vector<std::size_t>& shape);
  // The MLPs `mlps` as stacks named name.gate_up and name.down.
  ExpertWeights gated_stack(WeightRole role, const std::string& name,
                            const std::vector<std::string>& mlps, std::size_t hidden,
                            std::size_t inner);

  WeightSource& source_;
  std::size_t held_bytes_ = 0;
};

}  // namespace vl2
