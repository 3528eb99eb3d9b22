// SPDX-License-Identifier: MIT
// From the vision tower's features to the decoder's: fewer tokens, another width.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "checkpoint/model_config.h"
#include "kernels/ops.h"
#include "model/weight_loader.h"

namespace vl2 {

class Projector {
 public:
  Projector(WeightLoader& loader, const ProjectorConfig& config);

  // features: [tile * patches_per_side^2][input_dim]. Returns
  // [tile * tokens_per_side^2][n_embed], rows of a tile from top left to bottom right.
  Rows forward(const Ops& op, Rows features, std::size_t patches_per_side) const;

 private:
  ProjectorConfig config_;
  std::optional<Linear> pooling_;  // token_pooling_layer
  std::vector<Linear> layers_;
};

}  // namespace vl2
