// SPDX-License-Identifier: MIT
#include "model/attention.h"
#include "model/rope_table.h"

namespace vl2 {
namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

}  // namespace

PlainAttention::PlainAttention(WeightLoader& loader, const std::string& name,
                               const LanguageConfig& config, const PlainAttentionConfig& plain)
    : shape_{size(config.num_attention_heads), size(plain.num_key_value_heads),
             size(plain.head_dim), attention_scale(config)} {
  const std::size_t hidden = size(config.hidden_size);
  const std::size_t query_width = shape_.heads * shape_.head_dim;
  const std::size_t key_width = shape_.kv_heads * shape_.head_dim;
  const bool bias = config.attention_bias;
  query_ = loader.linear(WeightRole::attention, name + ".q_proj", query_width, hidden, bias);
  key_ = loader.linear(WeightRole::attention, name + ".k_proj", key_width, hidden, bias);
  value_ = loader.linear(WeightRole::attention, name + ".v_proj", key_width, hidden, bias);
  out_ = loader.linear(WeightRole::attention, name + ".o_proj", hidden, query_width, bias);
}

void PlainAttention::forward(Step& step, const RopeTable& rope, LayerPages cache, const Packed& x,
                             Rows hidden) const {
  const auto& [batch, op, caches] = step;
  const Heads query = op.linear(x, query_).heads(shape_.heads);
  const Heads key = op.linear(x, key_).heads(shape_.kv_heads);
  const Heads value = op.linear(x, value_).heads(shape_.kv_heads);
  op.rope(query, batch.positions, rope);
  op.rope(key, batch.positions, rope);
  op.append_keys_values(shape_, key, value, cache, batch.spans);
  op.add_linear(hidden, op.attend_plain(shape_, query, cache, batch.spans), out_);
}

Attention load_attention(WeightLoader& loader, const std::string& name,
                         const LanguageConfig& config) {
  if (const auto* latent = std::get_if<LatentAttentionConfig>(&config.attention))
    return LatentAttention(loader, name, config, *latent);
  return PlainAttention(loader, name, config, std::get<PlainAttentionConfig>(config.attention));
}

}  // namespace vl2
