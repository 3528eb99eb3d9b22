// SPDX-License-Identifier: MIT
// The whole model: pictures to rows, tokens and rows to logits.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "checkpoint/model_config.h"
#include "image/tiling.h"
#include "model/layer.h"
#include "model/projector.h"
#include "model/step.h"
#include "model/vision.h"
#include "model/weight_loader.h"

namespace vl2 {

// Immutable once loaded; any number of threads may use it, each with Ops of its own.
class Model {
 public:
  // `context` is the number of positions sequences may have. Throws Error{bad_checkpoint}.
  Model(const ModelConfig& config, WeightLoader& loader, std::size_t context);

  const ModelConfig& config() const noexcept { return config_; }
  Recipe recipe() const noexcept { return recipe_; }
  // What matrices are multiplied with, and what the cache holds.
  Operand operand() const noexcept { return operand_of(recipe_); }
  std::size_t context() const noexcept { return rope_.positions; }
  std::size_t layer_count() const noexcept { return layers_.size(); }

  // One step: every row of the batch through all layers. Row i of the result holds the logits
  // [vocab_size] of batch.wanted[i]. The result lives in the step's arena.
  Rows forward(Step& step) const;

  // Picture tiles through vision tower and projector. pixels: [tile][3][side][side], normalised;
  // returns [tile * tokens_per_side^2][hidden_size]. A tile's rows depend on the tile alone.
  Rows encode_tiles(const Ops& op, std::span<const float> pixels) const;
  std::size_t pixels_per_tile() const noexcept { return vision_.pixels_per_tile(); }
  // Before the model is shared: the vision tower multiplies 8-bit integers. Not for format f32.
  void use_integer_vision(const ThreadTeam& team);
  bool integer_vision() const noexcept { return vision_.integer_products(); }

  // Lays the rows of a picture's tiles (the global view first, then the local tiles row by row,
  // as encode_tiles gives them) out as the prompt has them: newlines after each row of the views,
  // a separator between them. `out` holds image_token_count(grid, tokens_per_side) rows of
  // hidden_size numbers.
  void arrange_picture(Rows tiles, TileGrid grid, std::span<float> out) const;

  // Bytes of one layer's part of a cache page.
  std::size_t page_bytes(std::size_t layer) const;

  // All packed weights, tables and vectors.
  std::size_t weight_bytes() const noexcept { return weight_bytes_; }

 private:
  Rows compute(Step& step) const;
  void observe_final_hidden(const Ops& op, Rows wanted) const;

  ModelConfig config_;
  Recipe recipe_;
  std::size_t weight_bytes_ = 0;
  RopeTable rope_;
  VisionTower vision_;
  Projector projector_;
  std::vector<float> image_newline_;
  std::vector<float> view_separator_;
  EmbeddingTable embedding_;
  std::vector<Layer> layers_;
  RmsNormWeights final_norm_;
  Linear head_;
};

}  // namespace vl2
