// SPDX-License-Identifier: MIT
// What a model folder's config.json and processor_config.json say, checked and with the defaults
// of the original's configuration classes (DeepSeek-VL2, deepseek_vl2/models) filled in. Names are
// those of the files. A configuration that loads is one that this program can run: sizes are
// positive, divide where they must and agree with each other.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/moe/experts.h"

namespace vl2 {

// SigLIP, without class token. All widths in numbers, sizes in pixels.
struct VisionConfig {
  int image_size = 384;
  int patch_size = 16;
  int width = 1024;
  int layers = 24;
  int heads = 16;
  double mlp_ratio = 4;
  bool has_attention_pool = true;  // global_pool "map": tensors in the file that are never used

  int patches_per_side() const noexcept { return image_size / patch_size; }
  int patch_count() const noexcept { return patches_per_side() * patches_per_side(); }
  int head_dim() const noexcept { return width / heads; }
  // Truncated, in double precision: 1152 * 3.7362 gives 4304.
  int mlp_hidden() const noexcept { return static_cast<int>(width * mlp_ratio); }
};

enum class ProjectorType { identity, linear, mlp_gelu, downsample_mlp_gelu };

struct ProjectorConfig {
  ProjectorType projector_type = ProjectorType::downsample_mlp_gelu;
  int input_dim = 1152;
  int n_embed = 2048;
  int depth = 2;
  int mlp_ratio = 1;
  int downsample_ratio = 2;    // downsample_mlp_gelu only
  bool token_pooling = false;  // a linear layer over 2x2 patches before the rest

  // Linear layers of `projector.layers`, the activations between them not counted. The first one
  // takes first_input_width() numbers, those between give hidden_width(), the last gives n_embed.
  int linear_count() const noexcept;
  int first_input_width() const noexcept;
  int hidden_width() const noexcept;
  // Tokens along a side of a tile with so many patches along a side.
  int tokens_per_side(int patches_per_side) const noexcept;
};

enum class RopeScalingKind { none, linear, dynamic, yarn };

struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::none;
  double factor = 1;
  // Latent attention multiplies its scale by mscale(factor, mscale_all_dim)^2 with every kind but
  // none, unless it is 0.
  double mscale_all_dim = 0;
  // yarn only:
  int original_max_position_embeddings = 4096;
  double beta_fast = 32;
  double beta_slow = 1;
  double mscale = 1;
};

// use_mla true. A query head is [nope | rope].
struct LatentAttentionConfig {
  std::optional<int> q_lora_rank;  // nothing: one plain q_proj
  int kv_lora_rank = 512;
  int qk_nope_head_dim = 128;
  int qk_rope_head_dim = 64;
  int v_head_dim = 128;

  int query_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
  // Numbers cached a token a layer: [latent | rope].
  int cached_width() const noexcept { return kv_lora_rank + qk_rope_head_dim; }
};

// use_mla false: the attention of LLaMA, grouped if there are fewer key/value heads than heads.
struct PlainAttentionConfig {
  int num_key_value_heads = 32;
  int head_dim = 128;
};

using AttentionConfig = std::variant<LatentAttentionConfig, PlainAttentionConfig>;

// Of the layers that are mixtures of experts. Each expert is a gated MLP.
struct MoeConfig {
  int n_routed_experts = 0;
  int n_shared_experts = 0;  // one MLP of width n_shared_experts * moe_intermediate_size; 0: none
  int num_experts_per_tok = 0;
  int moe_intermediate_size = 1407;
  int first_k_dense_replace = 0;
  int moe_layer_freq = 1;
  TopkMethod topk_method = TopkMethod::greedy;
  ScoringFunc scoring_func = ScoringFunc::softmax;
  bool norm_topk_prob = false;
  double routed_scaling_factor = 1;
  int n_group = 1;     // 1 with TopkMethod::greedy, which knows no groups
  int topk_group = 1;  // likewise

  int shared_width() const noexcept { return n_shared_experts * moe_intermediate_size; }
};

struct LanguageConfig {
  int vocab_size = 102400;
  int hidden_size = 4096;
  int intermediate_size = 11008;  // of the dense layers' gated MLP
  int num_hidden_layers = 30;
  int num_attention_heads = 32;
  AttentionConfig attention;
  bool attention_bias = false;   // latent: on q_a, kv_a and o; plain: on q, k, v and o
  std::optional<MoeConfig> moe;  // nothing when no layer is a mixture of experts
  double rms_norm_eps = 1e-6;    // not of the norms inside latent attention: those use 1e-6
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  int max_position_embeddings = 2048;
  bool tie_word_embeddings = false;  // where lm_head.weight is absent, the embedding is meant
  std::optional<int> bos_token_id = 100000;
  std::vector<int> eos_token_ids = {100001};  // none: only the length limit ends a text
  std::optional<int> pad_token_id;

  bool use_mla() const noexcept { return std::holds_alternative<LatentAttentionConfig>(attention); }
  bool is_moe_layer(int layer) const noexcept;
  int moe_layer_count() const noexcept;
  // Of one query or key head, of one value head, and of its rotated part.
  int query_head_dim() const;
  int value_head_dim() const;
  int rope_head_dim() const;
};

// In pixels.
struct CandidateResolution {
  int width = 384;
  int height = 384;
  friend bool operator==(const CandidateResolution&, const CandidateResolution&) = default;
};

// How pictures become tiles and tokens.
struct ProcessorConfig {
  std::vector<CandidateResolution> candidate_resolutions;  // multiples of image_size(); not empty
  int patch_size = 0;
  int downsample_ratio = 0;
  std::array<double, 3> image_mean = {0.5, 0.5, 0.5};
  std::array<double, 3> image_std = {0.5, 0.5, 0.5};
  bool normalize = true;  // false: pixels stay in [0, 1]
  std::string image_token = "<image>";
  std::string pad_token = "<｜▁pad▁｜>";

  // A side of a tile in pixels.
  int image_size() const noexcept { return candidate_resolutions.front().width; }
  // A side of a tile in tokens: ceil((image_size / patch_size) / downsample_ratio).
  int tokens_per_side() const noexcept;
};

enum class GlobalViewPosition { head, tail };

// tile_tag is not here: only "2D" loads (a newline after each row of tokens).
struct ModelConfig {
  VisionConfig vision;
  ProjectorConfig projector;
  LanguageConfig language;
  ProcessorConfig processor;
  GlobalViewPosition global_view_pos = GlobalViewPosition::head;
  // config.json's own list. Pictures are tiled by processor.candidate_resolutions.
  std::vector<CandidateResolution> candidate_resolutions = {{384, 384}};

  int vision_patches_per_side() const noexcept { return vision.patches_per_side(); }
  // Of a tile after the projector; equal to processor.tokens_per_side().
  int tokens_per_side() const noexcept {
    return projector.tokens_per_side(vision.patches_per_side());
  }
};

// Reads both files of the folder. Throws Error{not_found} when one is missing,
// Error{bad_checkpoint} when a value is broken or contradicts another, Error{unsupported} when the
// value is fine but nothing here can run it. Messages name file, field and value.
ModelConfig load_model_config(const std::filesystem::path& folder);

// The same from the files' contents; `folder` is for messages.
ModelConfig parse_model_config(std::string_view config_json, std::string_view processor_json,
                               const std::filesystem::path& folder);

}  // namespace vl2
