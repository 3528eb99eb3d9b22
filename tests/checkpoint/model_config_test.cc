// SPDX-License-Identifier: MIT
#include "checkpoint/model_config.h"

#include <gmock/gmock.h>

#include "checkpoint/config_texts.h"

namespace vl2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ModelConfig load_golden(const char* name) {
  return load_model_config(std::filesystem::path(VL2_TEST_DATA) / "goldens/checkpoints" / name);
}

TEST(ModelConfig, LoadsThePlainCheckpoint) {
  const ModelConfig model = load_golden("mha-softmax");
  const LanguageConfig& language = model.language;
  EXPECT_FALSE(language.use_mla());
  const auto& plain = std::get<PlainAttentionConfig>(language.attention);
  EXPECT_EQ(plain.head_dim, 16);
  EXPECT_EQ(plain.num_key_value_heads, 5);
  EXPECT_EQ(language.rope_head_dim(), 16);
  EXPECT_EQ(language.rope_scaling.kind, RopeScalingKind::none);
  EXPECT_EQ(language.vocab_size, 1344);
  EXPECT_EQ(language.bos_token_id, 0);
  EXPECT_THAT(language.eos_token_ids, ElementsAre(1));
  ASSERT_TRUE(language.moe);
  EXPECT_EQ(language.moe->n_routed_experts, 12);
  EXPECT_EQ(language.moe->shared_width(), 80);
  EXPECT_EQ(language.moe->topk_method, TopkMethod::greedy);
  EXPECT_EQ(language.moe_layer_count(), 3);
  EXPECT_FALSE(language.is_moe_layer(0));
  EXPECT_TRUE(language.is_moe_layer(1));
}

TEST(ModelConfig, LoadsThePictureSideOfAGolden) {
  const ModelConfig model = load_golden("mha-softmax");
  EXPECT_EQ(model.vision.image_size, 384);
  EXPECT_EQ(model.vision.patch_size, 14);
  EXPECT_EQ(model.vision.mlp_hidden(), 201);
  EXPECT_EQ(model.vision.head_dim(), 18);
  EXPECT_EQ(model.vision_patches_per_side(), 27);
  EXPECT_EQ(model.vision.patch_count(), 729);
  EXPECT_EQ(model.tokens_per_side(), 14);
  EXPECT_EQ(model.projector.first_input_width(), 216);
  EXPECT_EQ(model.projector.hidden_width(), 80);
  EXPECT_EQ(model.projector.linear_count(), 2);
  EXPECT_EQ(model.global_view_pos, GlobalViewPosition::head);
  EXPECT_EQ(model.candidate_resolutions.size(), 23U);
  const ProcessorConfig& processor = model.processor;
  EXPECT_EQ(processor.candidate_resolutions[7], (CandidateResolution{768, 768}));
  EXPECT_EQ(processor.image_size(), 384);
  EXPECT_THAT(processor.image_mean, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_EQ(processor.pad_token, "<｜▁pad▁｜>");
}

TEST(ModelConfig, LoadsTheLatentCheckpointInShards) {
  const LanguageConfig language = load_golden("mla-softmax").language;
  const auto& latent = std::get<LatentAttentionConfig>(language.attention);
  EXPECT_EQ(latent.q_lora_rank, std::nullopt);
  EXPECT_EQ(latent.kv_lora_rank, 48);
  EXPECT_EQ(latent.query_head_dim(), 48);
  EXPECT_EQ(latent.cached_width(), 64);
  EXPECT_EQ(language.query_head_dim(), 48);
  EXPECT_EQ(language.value_head_dim(), 24);
  EXPECT_EQ(language.rope_head_dim(), 16);
  EXPECT_EQ(language.bos_token_id, 1206);
}

TEST(ModelConfig, LoadsTheSigmoidCheckpoint) {
  const MoeConfig moe = load_golden("mla-sigmoid").language.moe.value();
  EXPECT_EQ(moe.topk_method, TopkMethod::noaux_tc);
  EXPECT_EQ(moe.scoring_func, ScoringFunc::sigmoid);
  EXPECT_TRUE(moe.norm_topk_prob);
  EXPECT_EQ(moe.routed_scaling_factor, 2.0);
}

TEST(ModelConfig, LoadsTheGeneralCheckpoint) {
  const LanguageConfig language = load_golden("mla-general").language;
  EXPECT_EQ(std::get<LatentAttentionConfig>(language.attention).q_lora_rank, 40);
  EXPECT_EQ(language.rope_theta, 20000);
  EXPECT_EQ(language.rms_norm_eps, 1e-3);
  EXPECT_EQ(language.rope_scaling.kind, RopeScalingKind::yarn);
  EXPECT_EQ(language.rope_scaling.factor, 8);
  EXPECT_EQ(language.rope_scaling.original_max_position_embeddings, 512);
  EXPECT_EQ(language.rope_scaling.beta_fast, 32);
  EXPECT_EQ(language.rope_scaling.beta_slow, 1);
  EXPECT_EQ(language.rope_scaling.mscale, 1);
  EXPECT_EQ(language.rope_scaling.mscale_all_dim, 0.707);
  EXPECT_EQ(language.moe->topk_method, TopkMethod::group_limited_greedy);
  EXPECT_EQ(language.moe->n_group, 4);
  EXPECT_EQ(language.moe->topk_group, 2);
  EXPECT_EQ(language.moe_layer_count(), 2);
}

TEST(ModelConfig, LoadsTheBundledModel) {
  const ModelConfig model = load_model_config(std::filesystem::path(VL2_MODELS) / "vl2-nano");
  EXPECT_EQ(model.vision.patch_size, 16);
  EXPECT_EQ(model.tokens_per_side(), 12);
  EXPECT_EQ(model.language.pad_token_id, 2);
  EXPECT_EQ(model.language.moe->num_experts_per_tok, 2);
  EXPECT_EQ(model.processor.candidate_resolutions.size(), 3U);
}

TEST(ModelConfigDefaults, Vision) {
  const VisionConfig vision = minimal_config().parse().vision;
  EXPECT_EQ(vision.image_size, 384);
  EXPECT_EQ(vision.patch_size, 16);
  EXPECT_EQ(vision.width, 1024);
  EXPECT_EQ(vision.layers, 24);
  EXPECT_EQ(vision.heads, 16);
  EXPECT_EQ(vision.mlp_ratio, 4);
  EXPECT_TRUE(vision.has_attention_pool);
}

TEST(ModelConfigDefaults, Projector) {
  ConfigTexts texts = minimal_config();
  texts.vision()["width"] = 1152;
  texts.config.erase("projector_config");
  const ProjectorConfig projector = texts.parse().projector;
  EXPECT_EQ(projector.projector_type, ProjectorType::downsample_mlp_gelu);
  EXPECT_EQ(projector.input_dim, 1152);
  EXPECT_EQ(projector.n_embed, 2048);
  EXPECT_EQ(projector.depth, 2);
  EXPECT_EQ(projector.mlp_ratio, 1);
  EXPECT_EQ(projector.downsample_ratio, 2);
  EXPECT_FALSE(projector.token_pooling);
}

TEST(ModelConfigDefaults, LanguageSizes) {
  ConfigTexts texts = minimal_config();
  texts.config.erase("language_config");
  texts.projector()["n_embed"] = 4096;
  const LanguageConfig language = texts.parse().language;
  EXPECT_EQ(language.vocab_size, 102400);
  EXPECT_EQ(language.hidden_size, 4096);
  EXPECT_EQ(language.intermediate_size, 11008);
  EXPECT_EQ(language.num_hidden_layers, 30);
  EXPECT_EQ(language.num_attention_heads, 32);
  EXPECT_EQ(language.max_position_embeddings, 2048);
  EXPECT_FALSE(language.moe);
}

TEST(ModelConfigDefaults, LanguageAttentionAndTokens) {
  const LanguageConfig language = minimal_config().parse().language;
  ASSERT_TRUE(language.use_mla());
  const auto& latent = std::get<LatentAttentionConfig>(language.attention);
  EXPECT_EQ(latent.q_lora_rank, 1536);
  EXPECT_EQ(latent.kv_lora_rank, 512);
  EXPECT_EQ(latent.qk_nope_head_dim, 128);
  EXPECT_EQ(latent.qk_rope_head_dim, 64);
  EXPECT_EQ(latent.v_head_dim, 128);
  EXPECT_FALSE(language.attention_bias);
  EXPECT_EQ(language.rms_norm_eps, 1e-6);
  EXPECT_EQ(language.rope_theta, 10000);
  EXPECT_EQ(language.rope_scaling.kind, RopeScalingKind::none);
  EXPECT_FALSE(language.tie_word_embeddings);
  EXPECT_EQ(language.bos_token_id, 100000);
  EXPECT_THAT(language.eos_token_ids, ElementsAre(100001));
  EXPECT_EQ(language.pad_token_id, std::nullopt);
}

TEST(ModelConfigDefaults, Experts) {
  const MoeConfig moe = moe_config().parse().language.moe.value();
  EXPECT_EQ(moe.n_shared_experts, 0);
  EXPECT_EQ(moe.moe_intermediate_size, 1407);
  EXPECT_EQ(moe.first_k_dense_replace, 0);
  EXPECT_EQ(moe.moe_layer_freq, 1);
  EXPECT_EQ(moe.scoring_func, ScoringFunc::softmax);
  EXPECT_FALSE(moe.norm_topk_prob);
  EXPECT_EQ(moe.routed_scaling_factor, 1);
}

TEST(ModelConfigDefaults, YarnAndProcessor) {
  ConfigTexts texts = minimal_config();
  texts.language()["rope_scaling"] = {{"type", "yarn"}, {"factor", 4}};
  const ModelConfig model = texts.parse();
  EXPECT_EQ(model.language.rope_scaling.original_max_position_embeddings, 4096);
  EXPECT_EQ(model.language.rope_scaling.beta_fast, 32);
  EXPECT_EQ(model.language.rope_scaling.beta_slow, 1);
  EXPECT_EQ(model.language.rope_scaling.mscale, 1);
  EXPECT_EQ(model.language.rope_scaling.mscale_all_dim, 0);
  EXPECT_EQ(model.global_view_pos, GlobalViewPosition::head);
  EXPECT_THAT(model.candidate_resolutions, ElementsAre(CandidateResolution{384, 384}));
  EXPECT_THAT(model.processor.image_mean, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_THAT(model.processor.image_std, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_TRUE(model.processor.normalize);
  EXPECT_EQ(model.processor.image_token, "<image>");
  EXPECT_EQ(model.processor.pad_token, "<｜▁pad▁｜>");
}

TEST(ModelConfig, NullIsNotTheDefault) {
  ConfigTexts texts = moe_config();
  for (const char* key : {"q_lora_rank", "rope_scaling", "n_shared_experts", "bos_token_id",
                          "eos_token_id", "norm_topk_prob"})
    texts.language()[key] = nullptr;
  const LanguageConfig language = texts.parse().language;
  EXPECT_EQ(std::get<LatentAttentionConfig>(language.attention).q_lora_rank, std::nullopt);
  EXPECT_EQ(language.bos_token_id, std::nullopt);
  EXPECT_THAT(language.eos_token_ids, IsEmpty());
  texts.language()["use_mla"] = nullptr;  // false, as in Python
  texts.language()["num_key_value_heads"] = nullptr;
  texts.language()["kv_lora_rank"] = nullptr;
  const LanguageConfig plain = texts.parse().language;
  EXPECT_EQ(std::get<PlainAttentionConfig>(plain.attention).num_key_value_heads, 32);
  texts.language()["n_routed_experts"] = nullptr;
  EXPECT_FALSE(texts.parse().language.moe);
}

TEST(ModelConfig, ExpertLayersFollowStartAndStep) {
  ConfigTexts texts = moe_config();
  texts.language()["num_hidden_layers"] = 10;
  texts.language()["first_k_dense_replace"] = 3;
  texts.language()["moe_layer_freq"] = 4;
  const LanguageConfig language = texts.parse().language;
  for (int layer = 0; layer < 10; ++layer)
    EXPECT_EQ(language.is_moe_layer(layer), layer == 4 || layer == 8) << layer;
}

TEST(ModelConfig, WithoutExpertLayersTheirFieldsDoNotMatter) {
  ConfigTexts texts = moe_config();
  texts.language().erase("topk_method");
  texts.language().erase("num_experts_per_tok");
  texts.language()["first_k_dense_replace"] = 30;
  EXPECT_FALSE(texts.parse().language.moe);
}

TEST(ModelConfig, SeveralEndTokensAndGroupedHeads) {
  ConfigTexts texts = plain_config();
  texts.language()["eos_token_id"] = {7, 9};
  texts.language()["pad_token_id"] = -1;
  texts.language()["num_key_value_heads"] = 8;
  const LanguageConfig language = texts.parse().language;
  EXPECT_THAT(language.eos_token_ids, ElementsAre(7, 9));
  EXPECT_EQ(language.pad_token_id, std::nullopt);
  EXPECT_EQ(std::get<PlainAttentionConfig>(language.attention).num_key_value_heads, 8);
}

TEST(ModelConfig, LinearAndDynamicRopeScaling) {
  ConfigTexts texts = plain_config();
  texts.language()["rope_scaling"] = {{"type", "linear"}, {"factor", 2.5}};
  EXPECT_EQ(texts.parse().language.rope_scaling.kind, RopeScalingKind::linear);
  EXPECT_EQ(texts.parse().language.rope_scaling.factor, 2.5);
  texts.language()["rope_scaling"]["type"] = "dynamic";
  EXPECT_EQ(texts.parse().language.rope_scaling.kind, RopeScalingKind::dynamic);
}

TEST(ModelConfig, TheGlobalViewMayComeLast) {
  ConfigTexts texts = minimal_config();
  texts.config["global_view_pos"] = "tail";
  EXPECT_EQ(texts.parse().global_view_pos, GlobalViewPosition::tail);
}

TEST(ModelConfig, MlpWidthIsTruncatedInDoublePrecision) {
  ConfigTexts texts = minimal_config();
  texts.vision() = {{"width", 1152}, {"mlp_ratio", 3.7362}};
  texts.projector()["input_dim"] = 1152;
  EXPECT_EQ(texts.parse().vision.mlp_hidden(), 4304);
}

struct ProjectorCase {
  const char* type;
  int depth;
  bool token_pooling;
  int processor_ratio;
  int linear_count;
  int first_input_width;
  int tokens_per_side;
};

TEST(ModelConfig, ProjectorTypesHaveTheirLayersAndTokens) {
  const ProjectorCase cases[] = {
      {"identity", 2, false, 1, 0, 1024, 24},
      {"linear", 2, false, 1, 1, 1024, 24},
      {"linear", 2, true, 2, 1, 1024, 12},
      {"mlp_gelu", 1, false, 1, 1, 1024, 24},
      {"mlp_gelu", 3, true, 2, 3, 1024, 12},
      {"downsample_mlp_gelu", 1, false, 2, 2, 4096, 12},
      {"downsample_mlp_gelu", 4, false, 2, 4, 4096, 12},
  };
  for (const ProjectorCase& c : cases) {
    ConfigTexts texts = minimal_config();
    texts.language()["hidden_size"] = 1024;
    texts.projector() = {{"projector_type", c.type}, {"input_dim", 1024},
                         {"n_embed", 1024},          {"depth", c.depth},
                         {"mlp_ratio", 2},           {"token_pooling", c.token_pooling}};
    texts.processor["downsample_ratio"] = c.processor_ratio;
    const ModelConfig model = texts.parse();
    EXPECT_EQ(model.projector.linear_count(), c.linear_count) << c.type;
    EXPECT_EQ(model.projector.first_input_width(), c.first_input_width) << c.type;
    EXPECT_EQ(model.tokens_per_side(), c.tokens_per_side) << c.type;
  }
}

}  // namespace
}  // namespace vl2
