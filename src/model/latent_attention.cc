// SPDX-License-Identifier: MIT
#include "model/attention.h"
#include "model/rope_table.h"

namespace vl2 {
namespace {

// The norms inside latent attention keep their own epsilon, whatever rms_norm_eps says.
constexpr float kInnerNormEps = 1e-6F;

std::size_t size(int value) { return static_cast<std::size_t>(value); }

}  // namespace

LatentAttention::LatentAttention(WeightLoader& loader, const std::string& name,
                                 const LanguageConfig& config, const LatentAttentionConfig& latent)
    : shape_{size(config.num_attention_heads), size(latent.kv_lora_rank),
             size(latent.qk_rope_head_dim), attention_scale(config)},
      qk_nope_head_dim_(size(latent.qk_nope_head_dim)) {
  const std::size_t hidden = size(config.hidden_size);
  const std::size_t query_width = shape_.heads * size(latent.query_head_dim());
  if (latent.q_lora_rank) {
    const std::size_t rank = size(*latent.q_lora_rank);
    query_.compressed.emplace(
        Query::Compressed{loader.linear(WeightRole::attention, name + ".q_a_proj", rank, hidden,
                                        config.attention_bias),
                          loader.rms_norm(name + ".q_a_layernorm", rank, kInnerNormEps)});
    query_.projection =
        loader.linear(WeightRole::attention, name + ".q_b_proj", query_width, rank, false);
  } else {
    query_.projection =
        loader.linear(WeightRole::attention, name + ".q_proj", query_width, hidden, false);
  }
  down_ = loader.linear(WeightRole::attention, name + ".kv_a_proj_with_mqa",
                        size(latent.cached_width()), hidden, config.attention_bias);
  latent_norm_ = loader.rms_norm(name + ".kv_a_layernorm", shape_.kv_lora_rank, kInnerNormEps);
  up_ = loader.latent_up(name + ".kv_b_proj", {shape_.heads, qk_nope_head_dim_,
                                               size(latent.v_head_dim), shape_.kv_lora_rank});
  out_ = loader.linear(WeightRole::attention, name + ".o_proj", hidden,
                       shape_.heads * size(latent.v_head_dim), config.attention_bias);
}

Rows LatentAttention::Query::forward(const Ops& op, const Packed& x) const {
  if (!compressed) return op.linear(x, projection);
  const Rows latent = op.linear(x, compressed->down);
  return op.linear(op.rms_norm(latent, compressed->norm), projection);
}

void LatentAttention::forward(Step& step, const RopeTable& rope, LayerPages cache, const Packed& x,
                              Rows hidden) const {
  const auto& [batch, op, caches] = step;
  const Heads query = query_.forward(op, x).heads(shape_.heads);  // [token][head][nope | rope]
  const Heads query_rope = query.last(shape_.qk_rope_head_dim);
  const Rows packed = op.linear(x, down_);  // [token][latent | rope]
  op.rms_norm_in_place(packed.first(shape_.kv_lora_rank), latent_norm_);
  op.rope(packed.last(shape_.qk_rope_head_dim), batch.positions, rope);
  op.rope(query_rope, batch.positions, rope);
  op.append_latents(shape_, packed, cache, batch.spans);

  const Heads probe = op.per_head(op.pack(query.first(qk_nope_head_dim_)), up_.key);
  const Packed context = op.attend_latents(shape_, {probe, query_rope}, cache, batch.spans);
  const Heads value = op.per_head(context, up_.value);
  op.add_linear(hidden, op.pack(value.flat()), out_);
}

}  // namespace vl2
