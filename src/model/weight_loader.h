// SPDX-License-Identifier: MIT
// Binds the tensors of a checkpoint to the structs that layers hold, checking every shape and
// packing every matrix on the way.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "checkpoint/recipe.h"
#include "kernels/ops.h"
#include "model/tensor_source.h"
#include "tensor/weight.h"

namespace vl2 {

// Every member throws Error{bad_checkpoint} naming the tensor that is missing, has another shape
// than the configuration says, or holds a NaN or an infinity. Names are without ".weight".
class WeightLoader {
 public:
  // Called after every tensor with the bytes of the checkpoint that have been read so far.
  using Progress = std::function<void(std::size_t bytes)>;

  // Everything is borrowed. The recipe f32 keeps all matrices in fp32, bf16 rounds them (released
  // weights are bf16 already), the others quantize.
  WeightLoader(const TensorSource& source, Recipe recipe, const ThreadTeam& team,
               Progress progress = {});

  Recipe recipe() const noexcept { return recipe_; }
  // Memory of everything bound so far.
  std::size_t held_bytes() const noexcept { return held_bytes_; }

  // Whether there is a matrix of that name.
  bool has(const std::string& name) const;

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
  Weight make(WeightRole role, std::size_t columns, std::size_t depth, std::size_t stack = 1);
  ExpertWeights make_experts(WeightRole role, std::size_t count, std::size_t hidden,
                             std::size_t inner);
  void pack(const TensorView& tensor, Weight& weight, std::size_t matrix);
  void pack_gate_up(const TensorView& gate, const TensorView& up, Weight& weight,
                    std::size_t matrix);
  void pack_gated(const std::string& name, std::size_t inner, std::size_t matrix,
                  ExpertWeights& mlp);
  std::vector<float> floats(const TensorView& tensor);
  void done(const TensorView& tensor);

  const TensorSource& source_;
  Recipe recipe_;
  const ThreadTeam& team_;
  Progress progress_;
  std::size_t bytes_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace vl2
