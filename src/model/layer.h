// SPDX-License-Identifier: MIT
// One layer of the decoder: attention, then feed-forward, each normed before and added after.
#pragma once

#include <string>

#include "checkpoint/model_config.h"
#include "model/attention.h"
#include "model/mlp.h"
#include "model/step.h"
#include "model/weight_loader.h"

namespace vl2 {

class Layer {
 public:
  Layer(WeightLoader& loader, const LanguageConfig& config, int index);
  void forward(Step& step, const RopeTable& rope, LayerPages cache, Rows hidden) const;
  // Bytes of this layer's keys and values in a page of kPageTokens tokens.
  std::size_t page_bytes(Operand operand) const;

 private:
  int index_;
  RmsNormWeights attention_norm_;  // input_layernorm
  Attention attention_;
  RmsNormWeights mlp_norm_;  // post_attention_layernorm
  Mlp mlp_;
};

}  // namespace vl2
