// SPDX-License-Identifier: MIT
#include "model/projector.h"

#include <algorithm>
#include <string>

namespace vl2 {
namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

// Merges squares of ratio x ratio patches into one row of width * ratio^2 numbers, channel first:
// index = channel * ratio^2 + row * ratio + column (torch's unfold). Tiles have `from` patches and
// give `to` tokens a side; patches that a square lacks at the right and the bottom are zero.
Rows merge_patches(const Ops& op, Rows x, std::size_t from, std::size_t to, std::size_t ratio) {
  const std::size_t square = ratio * ratio;
  const std::size_t tiles = x.count / (from * from);
  const Rows out = op.rows(tiles * to * to, x.width * square);
  op.team().split(out.count, to, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t tile = i / (to * to);
      float* row = out.row(i);
      for (std::size_t j = 0; j < square; ++j) {
        const std::size_t y = i / to % to * ratio + j / ratio;
        const std::size_t left = i % to * ratio + j % ratio;
        const bool inside = y < from && left < from;
        const float* patch = inside ? x.row((tile * from + y) * from + left) : nullptr;
        for (std::size_t channel = 0; channel < x.width; ++channel)
          row[channel * square + j] = inside ? patch[channel] : 0.0F;
      }
    }
  });
  return out;
}

}  // namespace

Projector::Projector(WeightLoader& loader, const ProjectorConfig& config) : config_(config) {
  const std::size_t input = size(config.input_dim);
  if (config.token_pooling)
    pooling_ = loader.linear(WeightRole::projector, "projector.token_pooling_layer", input,
                             4 * input, true);
  const int count = config.linear_count();
  std::size_t depth = size(config.first_input_width());
  for (int i = 0; i < count; ++i) {
    const std::size_t columns = size(i + 1 < count ? config.hidden_width() : config.n_embed);
    // A single linear layer is the module itself; in a sequence the activations count too.
    const std::string name = config.projector_type == ProjectorType::linear
                                 ? "projector.layers"
                                 : "projector.layers." + std::to_string(2 * i);
    layers_.push_back(loader.linear(WeightRole::projector, name, columns, depth, true));
    depth = columns;
  }
}

Rows Projector::forward(const Ops& op, Rows features, std::size_t patches_per_side) const {
  const std::size_t tokens = size(config_.tokens_per_side(static_cast<int>(patches_per_side)));
  Rows x = features;
  if (pooling_) {
    // Windows that do not fit are dropped, not padded.
    x = op.linear(op.pack(merge_patches(op, x, patches_per_side, tokens, 2)), *pooling_);
  } else if (config_.projector_type == ProjectorType::downsample_mlp_gelu) {
    x = merge_patches(op, x, patches_per_side, tokens, size(config_.downsample_ratio));
  }
  if (layers_.empty()) return x;
  Packed packed = op.pack(x);
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
    packed = op.linear_gelu(packed, layers_[i], Gelu::erf);
  const Rows out = op.linear(packed, layers_.back());
  op.observe("projector", -1, out);
  return out;
}

}  // namespace vl2
