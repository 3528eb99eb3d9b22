// SPDX-License-Identifier: MIT
// The two feed-forward parts of a decoder layer. Each adds its output to the residual stream.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "checkpoint/model_config.h"
#include "model/step.h"
#include "model/weight_loader.h"

namespace vl2 {

// down(silu(gate x) * up x).
class DenseMlp {
 public:
  DenseMlp(WeightLoader& loader, const std::string& name, const LanguageConfig& config);
  void forward(Step& step, int layer, const Packed& x, Rows hidden) const;

 private:
  GatedMlpWeights weights_;
};

// DeepSeekMoE: shared experts, which see every token, and routed ones, which see those that the
// router sends them.
class Experts {
 public:
  Experts(WeightLoader& loader, const std::string& name, const LanguageConfig& config,
          const MoeConfig& moe);
  void forward(Step& step, int layer, const Packed& x, Rows hidden) const;

 private:
  RouterRule rule() const;

  MoeConfig config_;
  Linear router_;
  std::vector<float> score_correction_bias_;  // empty unless noaux_tc
  ExpertWeights routed_;
  std::optional<GatedMlpWeights> shared_;
};

using Mlp = std::variant<DenseMlp, Experts>;

Mlp load_mlp(WeightLoader& loader, const std::string& name, const LanguageConfig& config,
             int layer);

}  // namespace vl2
