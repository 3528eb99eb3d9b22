// SPDX-License-Identifier: MIT
#include "checkpoint/language_config.h"

#include <string>

#include <fmt/format.h>

#include "checkpoint/config_limits.h"

namespace vl2 {
namespace {

constexpr NumberRange kEpsilonRange = {1e-12, 1};
constexpr NumberRange kThetaRange = {1.0001, 1e12};  // yarn divides by its logarithm
constexpr NumberRange kScaleRange = {1e-6, 1e6};
constexpr NumberRange kMscaleRange = {0, 1e3};

bool has_experts(const MoeConfig& moe, int layer) {
  return layer >= moe.first_k_dense_replace && layer % moe.moe_layer_freq == 0;
}

LatentAttentionConfig read_latent_attention(const ConfigReader& reader) {
  LatentAttentionConfig latent;
  latent.q_lora_rank = reader.optional_integer("q_lora_rank", kWidthRange, 1536);
  latent.kv_lora_rank = reader.integer("kv_lora_rank", kWidthRange, 512);
  latent.qk_nope_head_dim = reader.integer("qk_nope_head_dim", kHeadDimRange, 128);
  latent.qk_rope_head_dim = reader.integer("qk_rope_head_dim", kHeadDimRange, 64);
  latent.v_head_dim = reader.integer("v_head_dim", kHeadDimRange, 128);
  if (latent.qk_rope_head_dim % 2 != 0)
    reader.contradicts("qk_rope_head_dim", "it must be even, as numbers are rotated in pairs");
  return latent;
}

PlainAttentionConfig read_plain_attention(const ConfigReader& reader, int hidden, int heads) {
  if (hidden % heads != 0)
    reader.contradicts("num_attention_heads",
                       fmt::format("it must divide hidden_size, which is {}", hidden));
  PlainAttentionConfig plain;
  plain.head_dim = hidden / heads;
  if (plain.head_dim % 2 != 0 || plain.head_dim > kHeadDimRange.most)
    reader.contradicts("num_attention_heads",
                       fmt::format("the head size hidden_size / num_attention_heads is {}; it must "
                                   "be even and at most {}",
                                   plain.head_dim, kHeadDimRange.most));
  plain.num_key_value_heads =
      reader.optional_integer("num_key_value_heads", kHeadRange, 32).value_or(heads);
  if (heads % plain.num_key_value_heads != 0)
    reader.contradicts("num_key_value_heads",
                       fmt::format("{} key/value heads do not divide num_attention_heads, which "
                                   "is {}",
                                   plain.num_key_value_heads, heads));
  return plain;
}

RopeScaling read_rope_scaling(const ConfigReader& reader, bool use_mla, int rope_dim) {
  RopeScaling scaling;
  if (reader.is_null_or_absent("rope_scaling")) return scaling;
  const ConfigReader fields = reader.object("rope_scaling");
  scaling.kind = fields.choice<RopeScalingKind>("type", std::nullopt,
                                                {{"linear", RopeScalingKind::linear},
                                                 {"dynamic", RopeScalingKind::dynamic},
                                                 {"yarn", RopeScalingKind::yarn}});
  scaling.factor = fields.number("factor", kScaleRange);
  if (scaling.kind == RopeScalingKind::dynamic && rope_dim < 4)
    fields.contradicts("type",
                       fmt::format("it needs at least 4 rotated numbers a head, not {}", rope_dim));
  if (use_mla) scaling.mscale_all_dim = fields.number("mscale_all_dim", kMscaleRange, 0);
  if (scaling.kind != RopeScalingKind::yarn) return scaling;

  if (!use_mla)
    fields.unsupported("type", "with use_mla false only linear and dynamic are supported");
  scaling.original_max_position_embeddings =
      fields.integer("original_max_position_embeddings", kPositionRange, 4096);
  scaling.beta_fast = fields.number("beta_fast", kScaleRange, 32);
  scaling.beta_slow = fields.number("beta_slow", kScaleRange, 1);
  scaling.mscale = fields.number("mscale", kMscaleRange, 1);
  if (scaling.beta_fast < scaling.beta_slow)
    fields.contradicts("beta_fast",
                       fmt::format("it is less than beta_slow, which is {}", scaling.beta_slow));
  return scaling;
}

void read_groups(const ConfigReader& reader, MoeConfig& moe) {
  if (moe.topk_method == TopkMethod::greedy) return;
  moe.n_group = reader.integer("n_group", {1, moe.n_routed_experts});
  moe.topk_group = reader.integer("topk_group", {1, moe.n_group});
  if (moe.n_routed_experts % moe.n_group != 0)
    reader.contradicts("n_group", fmt::format("it must divide n_routed_experts, which is {}",
                                              moe.n_routed_experts));
  const int group_size = moe.n_routed_experts / moe.n_group;
  if (moe.topk_method == TopkMethod::noaux_tc && group_size < 2)
    reader.contradicts("n_group",
                       "noaux_tc ranks groups by their best two experts, but they have "
                       "one each");
  if (moe.num_experts_per_tok > moe.topk_group * group_size)
    reader.contradicts("num_experts_per_tok",
                       fmt::format("the {} groups of topk_group hold only {} experts",
                                   moe.topk_group, moe.topk_group * group_size));
}

std::optional<MoeConfig> read_moe(const ConfigReader& reader, int layers) {
  const auto experts = reader.optional_integer("n_routed_experts", kExpertRange, std::nullopt);
  if (!experts) return std::nullopt;
  MoeConfig moe;
  moe.n_routed_experts = *experts;
  moe.first_k_dense_replace = reader.integer("first_k_dense_replace", kLayerIndexRange, 0);
  moe.moe_layer_freq = reader.integer("moe_layer_freq", kLayerStepRange, 1);
  bool has_any = false;
  for (int layer = 0; layer < layers; ++layer) has_any |= has_experts(moe, layer);
  if (!has_any) return std::nullopt;

  moe.n_shared_experts =
      reader.optional_integer("n_shared_experts", kSharedExpertRange, std::nullopt).value_or(0);
  moe.num_experts_per_tok = reader.integer("num_experts_per_tok", {1, moe.n_routed_experts});
  moe.moe_intermediate_size = reader.integer("moe_intermediate_size", kMlpWidthRange, 1407);
  // The original's default is this misspelling, which it cannot run either.
  moe.topk_method =
      reader.choice<TopkMethod>("topk_method", "gready",
                                {{"greedy", TopkMethod::greedy},
                                 {"group_limited_greedy", TopkMethod::group_limited_greedy},
                                 {"noaux_tc", TopkMethod::noaux_tc}});
  moe.scoring_func = reader.choice<ScoringFunc>(
      "scoring_func", "softmax",
      {{"softmax", ScoringFunc::softmax}, {"sigmoid", ScoringFunc::sigmoid}});
  moe.norm_topk_prob = reader.boolean("norm_topk_prob", false);
  moe.routed_scaling_factor = reader.number("routed_scaling_factor", kScaleRange, 1);
  read_groups(reader, moe);
  return moe;
}

void read_token_ids(const ConfigReader& reader, LanguageConfig& language) {
  const IntegerRange ids = {0, language.vocab_size - 1};
  const auto check_default = [&](const char* key, int id) {
    if (!reader.has(key) && id > ids.most)
      reader.contradicts(
          key, fmt::format("which stands for {}, but vocab_size is {}", id, language.vocab_size));
  };
  check_default("bos_token_id", 100000);
  check_default("eos_token_id", 100001);
  language.bos_token_id = reader.optional_integer("bos_token_id", ids, 100000);
  language.eos_token_ids = reader.integers("eos_token_id", ids, 100001);
  // Trainers write -1 for "none".
  const auto pad = reader.optional_integer("pad_token_id", {-1, ids.most}, std::nullopt);
  if (pad && *pad >= 0) language.pad_token_id = pad;
}

void check_family(const ConfigReader& reader) {
  const std::string family = reader.text("model_type", "deepseek_v2");
  if (family != "deepseek_v2") reader.unsupported("model_type", "supported: deepseek_v2");
  if (!reader.is_null_or_absent("quantization_config"))
    reader.unsupported("quantization_config", "supported are checkpoints in F32, BF16 or F16");
  if (reader.optional_integer("ep_size", {0, 1 << 20}, 1).value_or(1) > 1)
    reader.unsupported("ep_size", "supported: 1, with all experts in one checkpoint");
  const std::string activation = reader.text("hidden_act", "silu");
  if (activation != "silu") reader.unsupported("hidden_act", "supported: silu");
}

}  // namespace

LanguageConfig read_language_config(const ConfigReader& reader) {
  check_family(reader);
  LanguageConfig language;
  language.vocab_size = reader.integer("vocab_size", kVocabularyRange, 102400);
  language.hidden_size = reader.integer("hidden_size", kWidthRange, 4096);
  language.intermediate_size = reader.integer("intermediate_size", kMlpWidthRange, 11008);
  language.num_hidden_layers = reader.integer("num_hidden_layers", kLayerRange, 30);
  language.num_attention_heads = reader.integer("num_attention_heads", kHeadRange, 32);
  if (reader.boolean("use_mla", true))
    language.attention = read_latent_attention(reader);
  else
    language.attention =
        read_plain_attention(reader, language.hidden_size, language.num_attention_heads);
  language.attention_bias = reader.boolean("attention_bias", false);
  language.moe = read_moe(reader, language.num_hidden_layers);
  language.rms_norm_eps = reader.number("rms_norm_eps", kEpsilonRange, 1e-6);
  language.rope_theta = reader.number("rope_theta", kThetaRange, 10000);
  language.rope_scaling = read_rope_scaling(reader, language.use_mla(), language.rope_head_dim());
  language.max_position_embeddings =
      reader.integer("max_position_embeddings", kPositionRange, 2048);
  language.tie_word_embeddings = reader.boolean("tie_word_embeddings", false);
  read_token_ids(reader, language);
  return language;
}

bool LanguageConfig::is_moe_layer(int layer) const noexcept {
  return moe && has_experts(*moe, layer);
}

int LanguageConfig::moe_layer_count() const noexcept {
  int count = 0;
  for (int layer = 0; layer < num_hidden_layers; ++layer) count += is_moe_layer(layer) ? 1 : 0;
  return count;
}

int LanguageConfig::query_head_dim() const {
  const auto* latent = std::get_if<LatentAttentionConfig>(&attention);
  return latent ? latent->query_head_dim() : std::get<PlainAttentionConfig>(attention).head_dim;
}

int LanguageConfig::value_head_dim() const {
  const auto* latent = std::get_if<LatentAttentionConfig>(&attention);
  return latent ? latent->v_head_dim : std::get<PlainAttentionConfig>(attention).head_dim;
}

int LanguageConfig::rope_head_dim() const {
  const auto* latent = std::get_if<LatentAttentionConfig>(&attention);
  return latent ? latent->qk_rope_head_dim : std::get<PlainAttentionConfig>(attention).head_dim;
}

}  // namespace vl2
