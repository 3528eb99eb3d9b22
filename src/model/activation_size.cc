// SPDX-License-Identifier: MIT
#include "model/activation_size.h"

#include <algorithm>

#include "base/aligned.h"
#include "kernels/moe/experts.h"

namespace vl2 {
namespace {

// A thread's in attention, whatever the model: blocks that fit the second-level cache.
constexpr std::size_t kAttentionScratchBytes = std::size_t{1} << 20;

std::size_t size(int value) { return static_cast<std::size_t>(value); }

// Sizes as the arena hands them out.
struct Bytes {
  Operand operand;
  std::size_t threads;

  std::size_t numbers(std::size_t count) const { return round_up(4 * count, 64); }
  std::size_t rows(std::size_t count, std::size_t width) const { return numbers(count * width); }
  std::size_t packed(std::size_t count, std::size_t width, std::size_t stack = 1) const {
    return stack * round_up(count, kTileRows) * round_up(width, kTileDepth) * bytes_of(operand);
  }
  std::size_t attention_scratch() const { return threads * kAttentionScratchBytes; }
};

// 8-bit activations with the scale and sum of each row.
std::size_t integer_rows(const Bytes& of, std::size_t count, std::size_t width) {
  return round_up(count, kTileRows) * round_up(width, 2 * kTileDepth) + 2 * of.numbers(count);
}

std::size_t vision_block(const VisionConfig& vision, const Bytes& of, std::size_t patches,
                         bool integer) {
  const std::size_t width = size(vision.width);
  const std::size_t inner = size(vision.mlp_hidden());
  const std::size_t attention =
      2 * of.packed(patches, width) + of.rows(patches, 3 * width) + of.attention_scratch();
  const std::size_t mlp = of.packed(patches, width) + of.packed(patches, inner);
  return std::max(attention, mlp) + (integer ? integer_rows(of, patches, inner) : 0);
}

std::size_t projector(const ProjectorConfig& config, const Bytes& of, std::size_t tiles,
                      int patches_per_side) {
  const std::size_t side = size(config.tokens_per_side(patches_per_side));
  const std::size_t tokens = tiles * side * side;
  const auto merged = [&](std::size_t width) {
    return of.rows(tokens, width) + of.packed(tokens, width);
  };
  std::size_t bytes = 0;
  if (config.token_pooling) bytes += merged(4 * size(config.input_dim));
  bytes += merged(size(config.first_input_width()));
  for (int i = 1; i < config.linear_count(); ++i)
    bytes += of.packed(tokens, size(config.hidden_width()));
  return bytes + of.rows(tokens, size(config.n_embed));
}

std::size_t vision(const ModelConfig& config, const StepSize& step, const Bytes& of) {
  if (step.tiles == 0) return 0;
  const VisionConfig& vision = config.vision;
  const std::size_t patches = step.tiles * size(vision.patch_count());
  const std::size_t pixels = 3 * size(vision.patch_size) * size(vision.patch_size);
  return of.rows(patches, pixels) + of.packed(patches, pixels) +
         of.rows(patches, size(vision.width)) +
         std::max(vision_block(vision, of, patches, step.integer_vision),
                  projector(config.projector, of, step.tiles, vision.patches_per_side()));
}

std::size_t attention(const LanguageConfig& language, const Bytes& of, std::size_t tokens) {
  const std::size_t heads = size(language.num_attention_heads);
  if (const auto* plain = std::get_if<PlainAttentionConfig>(&language.attention)) {
    const std::size_t queries = heads * size(plain->head_dim);
    const std::size_t keys = size(plain->num_key_value_heads) * size(plain->head_dim);
    return of.rows(tokens, queries) + 2 * of.rows(tokens, keys) + of.packed(tokens, queries);
  }
  const auto& latent = std::get<LatentAttentionConfig>(language.attention);
  const std::size_t rank = size(latent.q_lora_rank.value_or(0));
  const std::size_t values = heads * size(latent.v_head_dim);
  return of.rows(tokens, rank) + of.packed(tokens, rank) +
         of.rows(tokens, heads * size(latent.query_head_dim())) +
         of.rows(tokens, size(latent.cached_width())) +
         of.packed(tokens, size(latent.qk_nope_head_dim), heads) +
         of.rows(tokens, heads * size(latent.kv_lora_rank)) +
         of.packed(tokens, size(latent.kv_lora_rank), heads) + of.rows(tokens, values) +
         of.packed(tokens, values);
}

std::size_t experts(const LanguageConfig& language, const MoeConfig& moe, const Bytes& of,
                    std::size_t tokens) {
  const std::size_t hidden = size(language.hidden_size);
  const std::size_t inner = size(moe.moe_intermediate_size);
  const std::size_t count = size(moe.n_routed_experts);
  const std::size_t top_k = size(moe.num_experts_per_tok);
  const std::size_t router = of.rows(tokens, count) + 2 * of.numbers(tokens * top_k);
  const std::size_t choosing = of.rows(tokens, count + size(moe.n_group));
  const ExpertTurn turn = expert_turn({tokens, top_k, hidden, count, of.threads});
  const std::size_t slots = turn.tokens * top_k;
  const std::size_t routed = 2 * of.numbers(slots) + of.rows(slots, hidden) +
                             of.packed(turn.packed_rows, hidden) +
                             of.packed(turn.packed_rows, inner);
  const std::size_t shared = of.packed(tokens, size(moe.shared_width()));
  return router + std::max({choosing, routed, shared});
}

std::size_t decoder(const ModelConfig& config, const StepSize& step, const Bytes& of) {
  const LanguageConfig& language = config.language;
  const std::size_t hidden = size(language.hidden_size);
  std::size_t mlp = 0;
  if (language.moe_layer_count() < language.num_hidden_layers)
    mlp = of.packed(step.tokens, size(language.intermediate_size));
  if (language.moe) mlp = std::max(mlp, experts(language, *language.moe, of, step.tokens));
  const std::size_t layer =
      of.packed(step.tokens, hidden) +
      std::max(attention(language, of, step.tokens) + of.attention_scratch(), mlp);
  const std::size_t head = of.rows(step.wanted_rows, hidden) + of.packed(step.wanted_rows, hidden) +
                           of.rows(step.wanted_rows, size(language.vocab_size));
  return of.rows(step.tokens, hidden) + std::max(layer, head);
}

}  // namespace

std::size_t activation_bytes(const ModelConfig& config, const StepSize& step) {
  const Bytes of{step.operand, step.threads};
  return std::max(vision(config, step, of), decoder(config, step, of));
}

}  // namespace vl2
