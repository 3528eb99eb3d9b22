// SPDX-License-Identifier: MIT
#include "model/mlp.h"

namespace vl2 {
namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

// Tells the observer which experts the rows of a layer went to, as [row][expert | weight].
void observe_routing(const Ops& op, int layer, const Routing& routing) {
  if (!op.observed()) return;
  const std::size_t count = routing.experts.size() / routing.top_k;
  const Rows rows = op.rows(count, 2 * routing.top_k);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t rank = 0; rank < routing.top_k; ++rank) {
      const std::size_t at = i * routing.top_k + rank;
      rows.row(i)[rank] = static_cast<float>(routing.experts[at]);
      rows.row(i)[routing.top_k + rank] = routing.weights[at];
    }
  }
  op.observe("routing", layer, rows);
}

}  // namespace

DenseMlp::DenseMlp(WeightLoader& loader, const std::string& name, const LanguageConfig& config)
    : weights_(loader.gated_mlp(WeightRole::dense_mlp, name, size(config.hidden_size),
                                size(config.intermediate_size))) {}

void DenseMlp::forward(Step& step, int /*layer*/, const Packed& x, Rows hidden) const {
  step.op.add_gated_mlp(hidden, x, weights_);
}

Experts::Experts(WeightLoader& loader, const std::string& name, const LanguageConfig& config,
                 const MoeConfig& moe)
    : config_(moe) {
  const std::size_t hidden = size(config.hidden_size);
  const std::size_t count = size(moe.n_routed_experts);
  router_ = loader.linear(WeightRole::router, name + ".gate", count, hidden, false);
  if (moe.topk_method == TopkMethod::noaux_tc)
    score_correction_bias_ = loader.vector(name + ".gate.e_score_correction_bias", count);
  routed_ = loader.experts(name + ".experts", count, hidden, size(moe.moe_intermediate_size));
  if (moe.n_shared_experts > 0)
    shared_ = loader.gated_mlp(WeightRole::shared_experts, name + ".shared_experts", hidden,
                               size(moe.shared_width()));
}

RouterRule Experts::rule() const {
  return {.topk_method = config_.topk_method,
          .scoring_func = config_.scoring_func,
          .top_k = size(config_.num_experts_per_tok),
          .n_group = size(config_.n_group),
          .topk_group = size(config_.topk_group),
          .norm_topk_prob = config_.norm_topk_prob,
          .routed_scaling_factor = static_cast<float>(config_.routed_scaling_factor),
          .score_correction_bias =
              score_correction_bias_.empty() ? nullptr : score_correction_bias_.data()};
}

void Experts::forward(Step& step, int layer, const Packed& x, Rows hidden) const {
  const Routing routing = step.op.route(x, router_, rule());
  observe_routing(step.op, layer, routing);
  step.op.add_experts(hidden, x, routing, routed_);  // in rank order: batch-invariant
  if (shared_) step.op.add_gated_mlp(hidden, x, *shared_);
}

Mlp load_mlp(WeightLoader& loader, const std::string& name, const LanguageConfig& config,
             int layer) {
  if (config.is_moe_layer(layer)) return Experts(loader, name, config, *config.moe);
  return DenseMlp(loader, name, config);
}

}  // namespace vl2
