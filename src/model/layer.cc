// SPDX-License-Identifier: MIT
#include "model/layer.h"

#include "tensor/arena.h"

namespace vl2 {
namespace {

std::string layer_name(int index) { return "language.model.layers." + std::to_string(index); }

RmsNormWeights load_norm(WeightLoader& loader, const LanguageConfig& config, int index,
                         const std::string& name) {
  return loader.rms_norm(layer_name(index) + name, static_cast<std::size_t>(config.hidden_size),
                         static_cast<float>(config.rms_norm_eps));
}

}  // namespace

Layer::Layer(WeightLoader& loader, const LanguageConfig& config, int index)
    : index_(index),
      attention_norm_(load_norm(loader, config, index, ".input_layernorm")),
      attention_(load_attention(loader, layer_name(index) + ".self_attn", config)),
      mlp_norm_(load_norm(loader, config, index, ".post_attention_layernorm")),
      mlp_(load_mlp(loader, layer_name(index) + ".mlp", config, index)) {}

void Layer::forward(Step& step, const RopeTable& rope, LayerPages cache, Rows hidden) const {
  const Ops& op = step.op;
  {
    const ScratchScope scope(op.arena());  // what attention used is free again at the brace
    const Packed x = op.rms_norm(hidden, attention_norm_);
    std::visit([&](const auto& attention) { attention.forward(step, rope, cache, x, hidden); },
               attention_);
  }
  const ScratchScope scope(op.arena());
  const Packed x = op.rms_norm(hidden, mlp_norm_);
  std::visit([&](const auto& mlp) { mlp.forward(step, index_, x, hidden); }, mlp_);
  op.observe("layer_hidden", index_, hidden);
}

std::size_t Layer::page_bytes(Operand operand) const {
  return std::visit([&](const auto& attention) { return attention.page_bytes(operand); },
                    attention_);
}

}  // namespace vl2
