// SPDX-License-Identifier: MIT
// What a model is made of, without making it: every matrix, vector and table, in the order in which
// they are loaded.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "checkpoint/model_config.h"
#include "model/matrix_spec.h"

namespace vl2 {

struct VectorSpec {
  std::string tensor;
  std::vector<std::size_t> shape;
};

struct ModelPlan {
  std::vector<MatrixSpec> matrices;
  std::vector<VectorSpec> vectors;  // held in fp32
  VectorSpec embedding;
  std::size_t weight_bytes = 0;         // as Model::weight_bytes(), with an embedding in bf16
  std::vector<std::size_t> page_bytes;  // of each layer's part of a cache page
};

// `own_head`: the checkpoint has a head of its own, even if config.json ties it to the embedding.
ModelPlan plan_model(const ModelConfig& config, Recipe recipe, bool own_head = false);

}  // namespace vl2
