// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "checkpoint/config_texts.h"
#include "checkpoint/files.h"
#include "checkpoint/model_config.h"

namespace vl2 {
namespace {

using nlohmann::json;

// What replaces a value to say that its key is taken away.
const json kAbsent = json::binary({});

struct Refusal {
  const char* pointer;  // JSON pointer into config.json
  json value;
  ErrorCode code;
  std::vector<std::string> parts;
};

void change(json& document, const char* pointer, const json& value) {
  const json::json_pointer place(pointer);
  if (value == kAbsent)
    document[place.parent_pointer()].erase(place.back());
  else
    document[place] = value;
}

void expect_config_refused(const ConfigTexts& base, const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(std::string(refusal.pointer) + " = " + refusal.value.dump());
    ConfigTexts texts = base;
    change(texts.config, refusal.pointer, refusal.value);
    std::vector<std::string> parts = refusal.parts;
    parts.emplace_back("some/model/");
    expect_error(refusal.code, parts, [&] { texts.parse(); });
  }
}

void expect_processor_refused(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(std::string(refusal.pointer) + " = " + refusal.value.dump());
    ConfigTexts texts = minimal_config();
    change(texts.processor, refusal.pointer, refusal.value);
    std::vector<std::string> parts = refusal.parts;
    parts.emplace_back("some/model/processor_config.json");
    expect_error(refusal.code, parts, [&] { texts.parse(); });
  }
}

constexpr ErrorCode kBad = ErrorCode::bad_checkpoint;
constexpr ErrorCode kUnsupported = ErrorCode::unsupported;

TEST(ModelConfigErrors, MissingFilesAreNamed) {
  const TemporaryFolder folder;
  expect_error(ErrorCode::not_found, {"config.json"}, [&] { load_model_config(folder.path()); });
  folder.write("config.json", minimal_config().config.dump());
  expect_error(ErrorCode::not_found, {"processor_config.json"},
               [&] { load_model_config(folder.path()); });
  folder.write("processor_config.json", minimal_config().processor.dump());
  EXPECT_EQ(load_model_config(folder.path()).language.hidden_size, 2048);
}

TEST(ModelConfigErrors, BrokenJsonIsNamed) {
  const std::string sound = minimal_config().config.dump();
  for (const char* text : {"", "{", "[]", "3", "{\"a\":1e999}", "{\"\xff\":1}"}) {
    expect_error(kBad, {"some/model/config.json"},
                 [&] { parse_model_config(text, "{}", "some/model"); });
    expect_error(kBad, {"some/model/processor_config.json"},
                 [&] { parse_model_config(sound, text, "some/model"); });
  }
}

TEST(ModelConfigErrors, OtherModelFamilies) {
  expect_config_refused(
      minimal_config(),
      {{"/model_type", "llama", kUnsupported, {"model_type is \"llama\"", "deepseek_vl_v2"}},
       {"/model_type", kAbsent, kUnsupported, {"model_type is absent", "deepseek_vl_v2"}},
       {"/model_type", 3, kBad, {"model_type is 3"}},
       {"/language_config/model_type", "deepseek_v3", kUnsupported, {"deepseek_v3"}},
       {"/vision_config/model_type", "clip", kUnsupported, {"vision_config.model_type", "clip"}},
       {"/projector_config/model_type", "other", kUnsupported, {"projector_config.model_type"}},
       {"/quantization_config", {{"bits", 4}}, kUnsupported, {"quantization_config", "BF16"}},
       {"/language_config/quantization_config", {{"bits", 4}}, kUnsupported, {"BF16"}}});
}

TEST(ModelConfigErrors, TopLevelFields) {
  expect_config_refused(
      minimal_config(),
      {{"/tile_tag", kAbsent, kUnsupported, {"tile_tag is absent", "2D"}},
       {"/tile_tag", "1D", kUnsupported, {"tile_tag is \"1D\"", "2D"}},
       {"/global_view_pos", "middle", kUnsupported, {"global_view_pos", "head, tail"}},
       {"/candidate_resolutions", json::array(), kBad, {"candidate_resolutions"}},
       {"/vision_config", nullptr, kBad, {"vision_config is null", "object"}},
       {"/projector_config", json::array(), kBad, {"projector_config is []"}},
       {"/language_config", "x", kBad, {"language_config is \"x\""}}});
}

TEST(ModelConfigErrors, VisionFields) {
  expect_config_refused(
      minimal_config(),
      {{"/vision_config/image_size", {384, 384}, kBad, {"vision_config.image_size", "whole"}},
       {"/vision_config/image_size", nullptr, kBad, {"vision_config.image_size is null"}},
       {"/vision_config/patch_size", 0, kBad, {"vision_config.patch_size is 0"}},
       {"/vision_config/patch_size", 385, kBad, {"vision_config.patch_size", "384"}},
       {"/vision_config/patch_size", 1, kBad, {"vision_config.patch_size", "256"}},
       {"/vision_config/width", -1024, kBad, {"vision_config.width is -1024"}},
       {"/vision_config/width", 1024.0, kBad, {"vision_config.width is 1024.0"}},
       {"/vision_config/width", true, kBad, {"vision_config.width is true"}},
       {"/vision_config/width", 18446744073709551615U, kBad, {"vision_config.width"}},
       {"/vision_config/layers", 100000, kBad, {"vision_config.layers", "1024"}},
       {"/vision_config/heads", 15, kBad, {"vision_config.heads is 15", "1024"}},
       {"/vision_config/mlp_ratio", 1e300, kBad, {"vision_config.mlp_ratio"}},
       {"/vision_config/mlp_ratio", "4", kBad, {"vision_config.mlp_ratio is \"4\""}},
       {"/vision_config/global_pool", "avg", kUnsupported, {"global_pool is \"avg\"", "map"}},
       {"/vision_config/global_pool", "token", kUnsupported, {"global_pool"}},
       {"/vision_config/class_token", true, kUnsupported, {"class_token is true"}},
       {"/vision_config/class_token", 1, kBad, {"class_token is 1"}},
       {"/vision_config/ignore_head", false, kUnsupported, {"ignore_head is false"}}});
}

TEST(ModelConfigErrors, ProjectorFields) {
  expect_config_refused(
      minimal_config(),
      {{"/projector_config/projector_type",
        "perceiver",
        kUnsupported,
        {"projector_type is \"perceiver\"", "identity, linear, mlp_gelu, downsample_mlp_gelu"}},
       {"/projector_config/projector_type", "identity", kBad, {"n_embed", "1024"}},
       {"/projector_config/projector_type", "linear", kBad, {"downsample_ratio", "12", "24"}},
       {"/projector_config/token_pooling", true, kUnsupported, {"token_pooling is true"}},
       {"/projector_config/depth", 0, kBad, {"projector_config.depth is 0"}},
       {"/projector_config/mlp_ratio", 1.5, kBad, {"projector_config.mlp_ratio is 1.5"}},
       {"/projector_config/downsample_ratio", 0, kBad, {"downsample_ratio is 0"}},
       {"/projector_config/downsample_ratio", 3, kBad, {"12 x 12", "8 x 8"}},
       {"/projector_config/input_dim", 1000, kBad, {"input_dim is 1000", "1024"}},
       {"/projector_config/input_dim", kAbsent, kBad, {"input_dim is absent", "1024, not 1152"}},
       {"/projector_config/n_embed", 2040, kBad, {"n_embed is 2040", "2048"}}});
}

TEST(ModelConfigErrors, LanguageSizes) {
  expect_config_refused(
      minimal_config(),
      {{"/language_config/hidden_size", 1 << 20, kBad, {"language_config.hidden_size"}},
       {"/language_config/vocab_size", 0, kBad, {"language_config.vocab_size is 0"}},
       {"/language_config/intermediate_size", -1, kBad, {"intermediate_size is -1"}},
       {"/language_config/num_hidden_layers", 0, kBad, {"num_hidden_layers is 0"}},
       {"/language_config/num_attention_heads", nullptr, kBad, {"num_attention_heads is null"}},
       {"/language_config/max_position_embeddings", 1 << 30, kBad, {"max_position_embeddings"}},
       {"/language_config/hidden_act", "gelu", kUnsupported, {"hidden_act is \"gelu\"", "silu"}},
       {"/language_config/ep_size", 8, kUnsupported, {"ep_size is 8"}},
       {"/language_config/rms_norm_eps", -1e-6, kBad, {"rms_norm_eps"}},
       {"/language_config/rope_theta", 0, kBad, {"rope_theta is 0"}},
       {"/language_config/tie_word_embeddings", "no", kBad, {"tie_word_embeddings"}},
       {"/language_config/attention_bias", 0, kBad, {"attention_bias is 0"}}});
}

TEST(ModelConfigErrors, TokenIds) {
  expect_config_refused(
      minimal_config(),
      {{"/language_config/bos_token_id", 102400, kBad, {"bos_token_id is 102400", "102399"}},
       {"/language_config/eos_token_id", -1, kBad, {"eos_token_id is -1"}},
       {"/language_config/eos_token_id", {1, "2"}, kBad, {"eos_token_id"}},
       {"/language_config/pad_token_id", -2, kBad, {"pad_token_id is -2"}},
       {"/language_config/vocab_size", 100000, kBad, {"bos_token_id is absent", "100000"}},
       {"/language_config/vocab_size", 100001, kBad, {"eos_token_id is absent", "100001"}}});
}

TEST(ModelConfigErrors, LatentAttention) {
  expect_config_refused(
      minimal_config(),
      {{"/language_config/use_mla", "yes", kBad, {"use_mla is \"yes\""}},
       {"/language_config/kv_lora_rank", nullptr, kBad, {"kv_lora_rank is null"}},
       {"/language_config/q_lora_rank", 0, kBad, {"q_lora_rank is 0"}},
       {"/language_config/qk_nope_head_dim", 0, kBad, {"qk_nope_head_dim is 0"}},
       {"/language_config/qk_rope_head_dim", 33, kBad, {"qk_rope_head_dim is 33", "even"}},
       {"/language_config/v_head_dim", 100000, kBad, {"v_head_dim is 100000"}}});
}

TEST(ModelConfigErrors, PlainAttention) {
  expect_config_refused(
      plain_config(),
      {{"/language_config/num_attention_heads", 30, kBad, {"num_attention_heads is 30", "2048"}},
       {"/language_config/num_key_value_heads", 5, kBad, {"num_key_value_heads is 5", "32"}},
       {"/language_config/num_attention_heads",
        16,
        kBad,
        {"num_key_value_heads is absent", "32 key/value heads", "16"}}});
  ConfigTexts odd = plain_config();
  odd.language()["hidden_size"] = 96;
  odd.projector()["n_embed"] = 96;
  expect_error(kBad, {"head size", "is 3"}, [&] { odd.parse(); });
}

TEST(ModelConfigErrors, RopeScaling) {
  const char* place = "/language_config/rope_scaling";
  expect_config_refused(
      minimal_config(),
      {{place, "yarn", kBad, {"language_config.rope_scaling is \"yarn\""}},
       {place, json::object(), kBad, {"rope_scaling.type is absent", "required"}},
       {place, {{"type", "longrope"}, {"factor", 2}}, kUnsupported, {"linear, dynamic, yarn"}},
       {place, {{"type", "linear"}}, kBad, {"rope_scaling.factor is absent"}},
       {place, {{"type", "linear"}, {"factor", 0}}, kBad, {"rope_scaling.factor is 0"}},
       {place, {{"type", "linear"}, {"factor", nullptr}}, kBad, {"rope_scaling.factor is null"}},
       {place, {{"type", "yarn"}, {"factor", 2}, {"mscale", -1}}, kBad, {"rope_scaling.mscale"}},
       {place, {{"type", "yarn"}, {"factor", 2}, {"beta_slow", 64}}, kBad, {"beta_slow", "64"}}});
  expect_config_refused(plain_config(), {{place,
                                          {{"type", "yarn"}, {"factor", 2}},
                                          kUnsupported,
                                          {"rope_scaling.type is \"yarn\"", "use_mla false"}}});
  ConfigTexts narrow = minimal_config();
  narrow.language()["qk_rope_head_dim"] = 2;
  expect_config_refused(
      narrow,
      {{place, {{"type", "dynamic"}, {"factor", 2}}, kBad, {"at least 4 rotated numbers"}}});
}

TEST(ModelConfigErrors, Experts) {
  const std::string methods = "greedy, group_limited_greedy, noaux_tc";
  expect_config_refused(
      moe_config(),
      {{"/language_config/n_routed_experts", 0, kBad, {"n_routed_experts is 0"}},
       {"/language_config/num_experts_per_tok", 9, kBad, {"num_experts_per_tok is 9", "8"}},
       {"/language_config/num_experts_per_tok", kAbsent, kBad, {"num_experts_per_tok is absent"}},
       {"/language_config/num_experts_per_tok", nullptr, kBad, {"num_experts_per_tok is null"}},
       {"/language_config/moe_intermediate_size", 0, kBad, {"moe_intermediate_size is 0"}},
       {"/language_config/moe_layer_freq", 0, kBad, {"moe_layer_freq is 0"}},
       {"/language_config/first_k_dense_replace", -1, kBad, {"first_k_dense_replace is -1"}},
       {"/language_config/n_shared_experts", -1, kBad, {"n_shared_experts is -1"}},
       {"/language_config/topk_method", "gready", kUnsupported, {"\"gready\"", methods}},
       {"/language_config/topk_method", kAbsent, kUnsupported, {"absent", "\"gready\"", methods}},
       {"/language_config/scoring_func", "tanh", kUnsupported, {"\"tanh\"", "softmax, sigmoid"}},
       {"/language_config/routed_scaling_factor", nullptr, kBad, {"routed_scaling_factor"}},
       {"/language_config/norm_topk_prob", 1, kBad, {"norm_topk_prob is 1"}}});
}

TEST(ModelConfigErrors, ExpertGroups) {
  ConfigTexts texts = moe_config();
  texts.language()["topk_method"] = "noaux_tc";
  texts.language()["n_group"] = 4;
  texts.language()["topk_group"] = 1;
  texts.parse();
  expect_config_refused(
      texts,
      {{"/language_config/n_group", kAbsent, kBad, {"n_group is absent"}},
       {"/language_config/n_group", 3, kBad, {"n_group is 3", "8"}},
       {"/language_config/n_group", 8, kBad, {"n_group is 8", "best two"}},
       {"/language_config/n_group", 9, kBad, {"n_group is 9"}},
       {"/language_config/topk_group", kAbsent, kBad, {"topk_group is absent"}},
       {"/language_config/topk_group", 5, kBad, {"topk_group is 5", "4"}},
       {"/language_config/num_experts_per_tok", 3, kBad, {"num_experts_per_tok is 3", "2"}}});
}

TEST(ModelConfigErrors, ProcessorFields) {
  expect_processor_refused(
      {{"/candidate_resolutions", kAbsent, kBad, {"candidate_resolutions is absent"}},
       {"/candidate_resolutions", json::array(), kBad, {"candidate_resolutions is []"}},
       {"/candidate_resolutions", json::array({{384}}), kBad, {"pairs"}},
       {"/candidate_resolutions", {{384, 384}, {384, 0}}, kBad, {"candidate_resolutions"}},
       {"/candidate_resolutions", {{384, 384}, {500, 384}}, kBad, {"500 x 384"}},
       {"/candidate_resolutions", {{512, 512}}, kBad, {"candidate_resolutions", "384"}},
       {"/patch_size", kAbsent, kBad, {"patch_size is absent"}},
       {"/patch_size", 14, kBad, {"patch_size is 14", "16"}},
       {"/downsample_ratio", kAbsent, kBad, {"downsample_ratio is absent"}},
       {"/downsample_ratio", 3, kBad, {"downsample_ratio is 3", "8 x 8", "12 x 12"}},
       {"/image_mean", {0.5, 0.5}, kBad, {"image_mean", "3 numbers"}},
       {"/image_mean", {0.5, 0.5, 2}, kBad, {"image_mean"}},
       {"/image_std", {0.5, 0, 0.5}, kBad, {"image_std"}},
       {"/normalize", "yes", kBad, {"normalize is \"yes\""}},
       {"/image_token", "", kBad, {"image_token"}},
       {"/pad_token", nullptr, kBad, {"pad_token is null"}},
       {"/sft_format", "plain", kUnsupported, {"sft_format is \"plain\"", "deepseek"}}});
}

TEST(ModelConfigErrors, LongAndStrangeValuesStayOnOneShortLine) {
  ConfigTexts texts = minimal_config();
  texts.config["tile_tag"] = "two\nlines";
  expect_error(kUnsupported, {R"("two\nlines")"}, [&] { texts.parse(); });
  texts.config["tile_tag"] = std::string(10'000, 'x');
  try {
    texts.parse();
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 200U);
  }
}

}  // namespace
}  // namespace vl2
