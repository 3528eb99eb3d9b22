// SPDX-License-Identifier: MIT
#include "checkpoint/model_size.h"

namespace vl2 {
namespace {

using Count = std::uint64_t;

Count count(int size) noexcept { return static_cast<Count>(size); }

Count linear(Count inputs, Count outputs, bool has_bias) noexcept {
  return inputs * outputs + (has_bias ? outputs : 0);
}

Count layer_norm(Count width) noexcept { return 2 * width; }

// [q|k|v] and output projections, two norms and the MLP.
Count vision_size(const VisionConfig& vision) noexcept {
  const Count width = count(vision.width);
  const Count hidden = count(vision.mlp_hidden());
  const Count attention = linear(width, 3 * width, true) + linear(width, width, true);
  const Count mlp = linear(width, hidden, true) + linear(hidden, width, true);
  const Count patch = 3 * count(vision.patch_size) * count(vision.patch_size);
  Count total = linear(patch, width, true) + count(vision.patch_count()) * width;
  total += count(vision.layers) * (attention + mlp + 2 * layer_norm(width)) + layer_norm(width);
  // The pool's latent is its query, so q, kv, output, a norm, an MLP and the latent.
  if (vision.has_attention_pool) total += attention + mlp + layer_norm(width) + width;
  return total;
}

Count projector_size(const ProjectorConfig& projector) noexcept {
  const Count newline_and_separator = 2 * count(projector.n_embed);
  Count total = newline_and_separator;
  if (projector.token_pooling)
    total += linear(4 * count(projector.input_dim), count(projector.input_dim), true);
  Count inputs = count(projector.first_input_width());
  for (int i = 0; i < projector.linear_count(); ++i) {
    const bool is_last = i + 1 == projector.linear_count();
    const Count outputs = count(is_last ? projector.n_embed : projector.hidden_width());
    total += linear(inputs, outputs, true);
    inputs = outputs;
  }
  return total;
}

Count attention_size(const LanguageConfig& language) {
  const Count hidden = count(language.hidden_size);
  const Count heads = count(language.num_attention_heads);
  const Count queries = heads * count(language.query_head_dim());
  const Count values = heads * count(language.value_head_dim());
  const bool bias = language.attention_bias;
  const Count output = linear(values, hidden, bias);
  if (const auto* plain = std::get_if<PlainAttentionConfig>(&language.attention)) {
    const Count keys = count(plain->num_key_value_heads) * count(plain->head_dim);
    return linear(hidden, queries, bias) + 2 * linear(hidden, keys, bias) + output;
  }
  const auto& latent = std::get<LatentAttentionConfig>(language.attention);
  const Count rank = count(latent.kv_lora_rank);
  Count total = output + linear(hidden, count(latent.cached_width()), bias) + rank +
                linear(rank, heads * count(latent.qk_nope_head_dim) + values, false);
  if (!latent.q_lora_rank) return total + linear(hidden, queries, false);
  const Count query_rank = count(*latent.q_lora_rank);
  total += linear(hidden, query_rank, bias) + query_rank + linear(query_rank, queries, false);
  return total;
}

Count gated_mlp(Count width, Count hidden) noexcept { return 3 * width * hidden; }

}  // namespace

std::uint64_t ModelSize::active_of(WeightRole role) const noexcept {
  if (role != WeightRole::routed_experts) return of(role);
  return of(role) / count(routed_experts_there) * count(routed_experts_chosen);
}

ModelSize model_size(const ModelConfig& config) {
  const LanguageConfig& language = config.language;
  const Count hidden = count(language.hidden_size);
  const Count layers = count(language.num_hidden_layers);
  const Count moe_layers = count(language.moe_layer_count());
  const Count embedding = count(language.vocab_size) * hidden;

  ModelSize size;
  const auto role = [&size](WeightRole which) -> Count& {
    return size.by_role[static_cast<std::size_t>(which)];
  };
  role(WeightRole::attention) = layers * attention_size(language);
  role(WeightRole::dense_mlp) =
      (layers - moe_layers) * gated_mlp(hidden, count(language.intermediate_size));
  role(WeightRole::head) = embedding;
  if (language.moe) {
    const MoeConfig& moe = *language.moe;
    const bool has_bias = moe.topk_method == TopkMethod::noaux_tc;
    const Count experts = count(moe.n_routed_experts);
    role(WeightRole::router) = moe_layers * linear(hidden, experts, has_bias);
    role(WeightRole::shared_experts) = moe_layers * gated_mlp(hidden, count(moe.shared_width()));
    role(WeightRole::routed_experts) =
        moe_layers * experts * gated_mlp(hidden, count(moe.moe_intermediate_size));
    size.routed_experts_there = moe.n_routed_experts;
    size.routed_experts_chosen = moe.num_experts_per_tok;
  }
  size.routed_experts = size.of(WeightRole::routed_experts);
  const Count norms = (2 * layers + 1) * hidden;
  size.language = norms + (language.tie_word_embeddings ? 0 : embedding);
  size.active_per_token = norms;
  for (std::size_t i = 0; i < kWeightRoleCount; ++i) {
    size.language += size.by_role[i];
    size.active_per_token += size.active_of(static_cast<WeightRole>(i));
  }
  size.vision = vision_size(config.vision);
  size.projector = projector_size(config.projector);
  return size;
}

}  // namespace vl2
