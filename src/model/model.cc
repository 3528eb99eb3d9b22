// SPDX-License-Identifier: MIT
#include "model/model.h"

#include <algorithm>
#include <string>

#include "model/rope_table.h"
#include "tensor/arena.h"

namespace vl2 {
namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

std::vector<Layer> load_layers(WeightLoader& loader, const LanguageConfig& config) {
  std::vector<Layer> layers;
  layers.reserve(size(config.num_hidden_layers));
  for (int i = 0; i < config.num_hidden_layers; ++i) layers.emplace_back(loader, config, i);
  return layers;
}

// With tie_word_embeddings the head may be the embedding itself.
Linear load_head(WeightLoader& loader, const LanguageConfig& config) {
  const std::string own = "language.lm_head";
  const bool tied = config.tie_word_embeddings && !loader.has_head(own);
  return loader.head(tied ? "language.model.embed_tokens" : own, size(config.vocab_size),
                     size(config.hidden_size));
}

}  // namespace

Model::Model(const ModelConfig& config, WeightLoader& loader, std::size_t context)
    : config_(config),
      recipe_(loader.recipe()),
      rope_(build_rope_table(config.language, context)),
      vision_(loader, config.vision),
      projector_(loader, config.projector),
      image_newline_(loader.vector("image_newline", size(config.language.hidden_size))),
      view_separator_(loader.vector("view_seperator", size(config.language.hidden_size))),
      embedding_(loader.embedding("language.model.embed_tokens", size(config.language.vocab_size),
                                  size(config.language.hidden_size))),
      layers_(load_layers(loader, config.language)),
      final_norm_(loader.rms_norm("language.model.norm", size(config.language.hidden_size),
                                  static_cast<float>(config.language.rms_norm_eps))),
      head_(load_head(loader, config.language)) {
  weight_bytes_ = loader.held_bytes();
}

void Model::use_integer_vision(const ThreadTeam& team) {
  weight_bytes_ += static_cast<std::size_t>(vision_.use_integer_products(team));
}

Rows Model::forward(Step& step) const {
  Rows logits;
  step.op.team().stay_together([&] { logits = compute(step); });
  return logits;
}

Rows Model::compute(Step& step) const {
  const auto& [batch, op, caches] = step;

  const Rows hidden = op.embed(batch.tokens, embedding_);
  for (const PictureRows& picture : batch.pictures) {  // pictures take their placeholders' rows
    const Rows rows{const_cast<float*>(picture.rows), picture.row_count, hidden.width,
                    hidden.width};
    op.copy(rows, hidden.slice(picture.first_row, picture.row_count));
  }
  op.observe("inputs_embeds", -1, hidden);

  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].forward(step, rope_, caches[i], hidden);

  const Rows wanted = op.gather(hidden, batch.wanted);
  observe_final_hidden(op, wanted);
  return op.linear(op.rms_norm(wanted, final_norm_), head_);
}

void Model::observe_final_hidden(const Ops& op, Rows wanted) const {
  if (!op.observed()) return;
  const Rows normed = op.rows(wanted.count, wanted.width);
  op.copy(wanted, normed);
  op.rms_norm_in_place(normed, final_norm_);
  op.observe("final_hidden", -1, normed);
}

Rows Model::encode_tiles(const Ops& op, std::span<const float> pixels) const {
  const Rows features = vision_.forward(op, pixels);
  return projector_.forward(op, features, size(config_.vision.patches_per_side()));
}

void Model::arrange_picture(Rows tiles, TileGrid grid, std::span<float> out) const {
  const std::size_t side = size(config_.tokens_per_side());
  const std::size_t width = tiles.width;
  float* next = out.data();
  const auto put = [&](const float* row) { next = std::copy_n(row, width, next); };
  // A view of down x across tiles, of which `first` is the first: rows run across tiles.
  const auto put_view = [&](std::size_t first, std::size_t down, std::size_t across) {
    for (std::size_t y = 0; y < down * side; ++y) {
      for (std::size_t x = 0; x < across * side; ++x) {
        const std::size_t tile = first + y / side * across + x / side;
        put(tiles.row((tile * side + y % side) * side + x % side));
      }
      put(image_newline_.data());
    }
  };
  const bool head = config_.global_view_pos == GlobalViewPosition::head;
  if (head) put_view(0, 1, 1);
  if (head) put(view_separator_.data());
  put_view(1, size(grid.down), size(grid.across));
  if (!head) put(view_separator_.data());
  if (!head) put_view(0, 1, 1);
}

std::size_t Model::page_bytes(std::size_t layer) const {
  return layers_[layer].page_bytes(operand_of(recipe_));
}

}  // namespace vl2
