// SPDX-License-Identifier: MIT
// The vision tower: SigLIP's transformer over the patches of 384x384 tiles, without class token
// and without the pooling head.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "checkpoint/model_config.h"
#include "kernels/ops.h"
#include "model/weight_loader.h"

namespace vl2 {

class VisionTower {
 public:
  VisionTower(WeightLoader& loader, const VisionConfig& config);

  // pixels: [tile][3][image_size][image_size], normalised. Returns the features of every patch
  // after the final norm, [tile * patches][width]. Pixels beyond the last whole patch are not
  // seen, as in the original's convolution.
  Rows forward(const Ops& op, std::span<const float> pixels) const;

  // From now on the blocks multiply integers: weights become int8, if they are not, and activations
  // are rounded to 8 bits row by row. Returns the bytes that the weights grew by.
  std::ptrdiff_t use_integer_products(const ThreadTeam& team);

  bool integer_products() const noexcept {
    return !blocks_.empty() && blocks_.front().qkv.integer_products;
  }

  // Numbers of a tile's pixels.
  std::size_t pixels_per_tile() const noexcept;

 private:
  struct Block {
    LayerNormWeights attention_norm;  // norm1
    Linear qkv;
    Linear out;
    LayerNormWeights mlp_norm;  // norm2
    Linear up;                  // mlp.fc1
    Linear down;                // mlp.fc2
  };
  Rows patches(const Ops& op, std::span<const float> pixels) const;

  VisionConfig config_;
  HeadShape heads_;
  Linear patch_embedding_;
  std::vector<float> position_embedding_;  // [patches][width]
  std::vector<Block> blocks_;
  LayerNormWeights norm_;
};

}  // namespace vl2
