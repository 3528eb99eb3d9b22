// SPDX-License-Identifier: MIT
#include "engine/model_shapes.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"tiny", "small", "full"};

// In the released order, which decides between equals.
constexpr std::array<std::pair<int, int>, 23> kCandidates = {
    {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {3, 1}, {1, 4}, {4, 1}, {2, 2}, {1, 5}, {5, 1}, {1, 6}, {6, 1},
     {2, 3}, {3, 2}, {1, 7}, {7, 1}, {1, 8}, {8, 1}, {2, 4}, {4, 2}, {1, 9}, {9, 1}, {3, 3}}};

// What the three have in common: SigLIP-SO400M/14 at 384 pixels, 14 x 14 tokens a tile.
ModelConfig common_shape(int hidden_size) {
  ModelConfig config;
  config.vision.patch_size = 14;
  config.vision.width = 1152;
  config.vision.layers = 27;
  config.vision.heads = 16;
  config.vision.mlp_ratio = 3.7362;
  config.projector.n_embed = hidden_size;
  config.processor.patch_size = 14;
  config.processor.downsample_ratio = 2;
  for (const auto& [across, down] : kCandidates)
    config.processor.candidate_resolutions.push_back({384 * across, 384 * down});
  config.candidate_resolutions = config.processor.candidate_resolutions;

  LanguageConfig& language = config.language;
  language.hidden_size = hidden_size;
  language.max_position_embeddings = 4096;
  language.bos_token_id = 0;
  language.eos_token_ids = {1};
  return config;
}

MoeConfig common_moe(int experts, int width) {
  MoeConfig moe;
  moe.n_routed_experts = experts;
  moe.n_shared_experts = 2;
  moe.num_experts_per_tok = 6;
  moe.moe_intermediate_size = width;
  moe.first_k_dense_replace = 1;
  return moe;
}

}  // namespace

ModelConfig tiny_shape() {
  ModelConfig config = common_shape(1280);
  LanguageConfig& language = config.language;
  language.vocab_size = 129280;
  language.num_hidden_layers = 12;
  language.num_attention_heads = 10;
  language.attention = PlainAttentionConfig{10, 128};
  language.intermediate_size = 6848;
  language.moe = common_moe(64, 896);
  return config;
}

ModelConfig small_shape() {
  ModelConfig config = common_shape(2048);
  LanguageConfig& language = config.language;
  language.vocab_size = 102400;
  language.num_hidden_layers = 27;
  language.num_attention_heads = 16;
  language.attention = LatentAttentionConfig{};
  language.intermediate_size = 10944;
  language.moe = common_moe(64, 1408);
  return config;
}

ModelConfig full_shape() {
  ModelConfig config = common_shape(2560);
  LanguageConfig& language = config.language;
  language.vocab_size = 129280;
  language.num_hidden_layers = 30;
  language.num_attention_heads = 32;
  language.attention = LatentAttentionConfig{};
  language.intermediate_size = 12288;
  MoeConfig moe = common_moe(72, 1536);
  moe.topk_method = TopkMethod::noaux_tc;
  moe.scoring_func = ScoringFunc::sigmoid;
  moe.norm_topk_prob = true;
  moe.routed_scaling_factor = 2.0;
  language.moe = moe;
  return config;
}

std::span<const std::string_view> model_shape_names() { return kNames; }

ModelConfig model_shape(std::string_view name) {
  if (name == "tiny") return tiny_shape();
  if (name == "small") return small_shape();
  if (name == "full") return full_shape();
  throw Error(ErrorCode::invalid_argument,
              fmt::format("there is no shape \"{}\"; there are tiny, small and full", name));
}

}  // namespace vl2
