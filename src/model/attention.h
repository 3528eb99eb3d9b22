// SPDX-License-Identifier: MIT
// The two attentions of the decoder. Each adds its output to the residual stream.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "checkpoint/model_config.h"
#include "model/step.h"
#include "model/weight_loader.h"

namespace vl2 {

// Multi-head latent attention in its absorbed form (DeepSeek-V2, section 2.1 and appendix C). All
// heads share one compressed row a token: kv_lora_rank latent numbers, then qk_rope_head_dim
// rotated ones. The query goes to the latent space; keys never leave it.
class LatentAttention {
 public:
  LatentAttention(WeightLoader& loader, const std::string& name, const LanguageConfig& config,
                  const LatentAttentionConfig& latent);
  void forward(Step& step, const RopeTable& rope, LayerPages cache, const Packed& x,
               Rows hidden) const;
  std::size_t page_bytes(Operand operand) const { return latent_page_bytes(shape_, operand); }

 private:
  // q_proj, or with q_lora_rank: q_a_proj, q_a_layernorm, q_b_proj.
  struct Query {
    Linear projection;
    struct Compressed {
      Linear down;
      RmsNormWeights norm;
    };
    std::optional<Compressed> compressed;
    Rows forward(const Ops& op, const Packed& x) const;
  };

  LatentShape shape_;
  std::size_t qk_nope_head_dim_;
  Query query_;
  Linear down_;  // kv_a_proj_with_mqa: [latent | rope]
  RmsNormWeights latent_norm_;
  WeightLoader::LatentUp up_;
  Linear out_;
};

// Multi-head attention with rotated keys and values cached a head (DeepSeek-VL2-Tiny).
class PlainAttention {
 public:
  PlainAttention(WeightLoader& loader, const std::string& name, const LanguageConfig& config,
                 const PlainAttentionConfig& plain);
  void forward(Step& step, const RopeTable& rope, LayerPages cache, const Packed& x,
               Rows hidden) const;
  std::size_t page_bytes(Operand operand) const { return plain_page_bytes(shape_, operand); }

 private:
  HeadShape shape_;
  Linear query_;
  Linear key_;
  Linear value_;
  Linear out_;
};

using Attention = std::variant<LatentAttention, PlainAttention>;

Attention load_attention(WeightLoader& loader, const std::string& name,
                         const LanguageConfig& config);

}  // namespace vl2
