// SPDX-License-Identifier: MIT
#include "model/vision.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/matmul/pack.h"

namespace vl2 {
namespace {

constexpr std::size_t kChannels = 3;
constexpr float kNormEps = 1e-6F;

std::size_t size(int value) { return static_cast<std::size_t>(value); }

}  // namespace

VisionTower::VisionTower(WeightLoader& loader, const VisionConfig& config)
    : config_(config),
      heads_{size(config.heads), size(config.heads), size(config.head_dim()),
             static_cast<float>(1.0 / std::sqrt(static_cast<double>(config.head_dim())))} {
  const std::size_t width = size(config.width);
  const std::size_t inner = size(config.mlp_hidden());
  patch_embedding_ =
      loader.patch_embedding("vision.patch_embed.proj", width, kChannels, size(config.patch_size));
  position_embedding_ =
      loader.position_embedding("vision.pos_embed", size(config.patch_count()), width);
  for (int i = 0; i < config.layers; ++i) {
    const std::string name = "vision.blocks." + std::to_string(i);
    blocks_.push_back(
        {loader.layer_norm(name + ".norm1", width, kNormEps),
         loader.linear(WeightRole::vision, name + ".attn.qkv", 3 * width, width, true),
         loader.linear(WeightRole::vision, name + ".attn.proj", width, width, true),
         loader.layer_norm(name + ".norm2", width, kNormEps),
         loader.linear(WeightRole::vision, name + ".mlp.fc1", inner, width, true),
         loader.linear(WeightRole::vision, name + ".mlp.fc2", width, inner, true)});
  }
  norm_ = loader.layer_norm("vision.norm", width, kNormEps);
}

std::ptrdiff_t VisionTower::use_integer_products(const ThreadTeam& team) {
  std::ptrdiff_t grown = 0;
  for (Block& block : blocks_)
    for (Linear* layer : {&block.qkv, &block.out, &block.up, &block.down}) {
      grown -= static_cast<std::ptrdiff_t>(layer->weight.total_bytes());
      if (layer->weight.format() != WeightFormat::int8)
        layer->weight = repacked(layer->weight, WeightFormat::int8, team);
      grown += static_cast<std::ptrdiff_t>(layer->weight.total_bytes());
      layer->integer_products = true;
    }
  return grown;
}

std::size_t VisionTower::pixels_per_tile() const noexcept {
  return kChannels * size(config_.image_size) * size(config_.image_size);
}

// Row (tile, patch) holds the patch's pixels in the convolution's order: channel, row, column.
Rows VisionTower::patches(const Ops& op, std::span<const float> pixels) const {
  const std::size_t side = size(config_.image_size);
  const std::size_t patch = size(config_.patch_size);
  const std::size_t across = size(config_.patches_per_side());
  const std::size_t tiles = pixels.size() / pixels_per_tile();
  const Rows out = op.rows(tiles * across * across, kChannels * patch * patch);
  op.team().split(out.count, across, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t top = i / across % across * patch;
      const std::size_t left = i % across * patch;
      const float* tile = pixels.data() + i / (across * across) * pixels_per_tile();
      float* row = out.row(i);
      for (std::size_t channel = 0; channel < kChannels; ++channel)
        for (std::size_t y = 0; y < patch; ++y, row += patch)
          std::copy_n(tile + (channel * side + top + y) * side + left, patch, row);
    }
  });
  return out;
}

Rows VisionTower::forward(const Ops& op, std::span<const float> pixels) const {
  const std::size_t count = size(config_.patch_count());
  const std::size_t width = size(config_.width);
  const Rows hidden = op.linear(op.pack(patches(op, pixels)), patch_embedding_);
  op.add_repeated(hidden, {const_cast<float*>(position_embedding_.data()), count, width, width});
  for (const Block& block : blocks_) {
    {
      const ScratchScope scope(op.arena());  // what attention used is free again at the brace
      const Rows qkv = op.linear(op.layer_norm(hidden, block.attention_norm), block.qkv);
      op.add_linear(hidden, op.attend_full(heads_, qkv, count), block.out);
    }
    const ScratchScope scope(op.arena());
    const Packed x = op.layer_norm(hidden, block.mlp_norm);
    op.add_linear(hidden, op.linear_gelu(x, block.up, Gelu::tanh), block.down);
  }
  op.layer_norm_in_place(hidden, norm_);
  op.observe("vision_features", -1, hidden);
  return hidden;
}

}  // namespace vl2
