// SPDX-License-Identifier: MIT
#include "model/model_plan.h"

#include "model/model.h"
#include "model/weight_source.h"

namespace vl2 {
namespace {

// Hands out nothing and remembers what was asked for.
class Recorder final : public WeightSource {
 public:
  Recorder(Recipe recipe, bool own_head, ModelPlan& plan)
      : recipe_(recipe), own_head_(own_head), plan_(plan) {}

  Recipe recipe() const noexcept override { return recipe_; }
  bool has_head(const std::string& /*tensor*/) const override { return own_head_; }
  Weight matrix(const MatrixSpec& spec) override {
    plan_.matrices.push_back(spec);
    return {};
  }
  std::vector<float> vector(const std::string& tensor,
                            const std::vector<std::size_t>& shape) override {
    plan_.vectors.push_back({tensor, shape});
    return {};
  }
  EmbeddingTable embedding(const std::string& tensor, std::size_t count,
                           std::size_t width) override {
    plan_.embedding = {tensor, {count, width}};
    return {width, {}, {}, {}};
  }

 private:
  Recipe recipe_;
  bool own_head_;
  ModelPlan& plan_;
};

}  // namespace

ModelPlan plan_model(const ModelConfig& config, Recipe recipe, bool own_head) {
  ModelPlan plan;
  Recorder recorder(recipe, own_head, plan);
  WeightLoader loader(recorder);
  const Model model(config, loader, 1);
  const auto& table = plan.embedding.shape;
  plan.weight_bytes = model.weight_bytes() + table[0] * table[1] * sizeof(Bf16);
  for (std::size_t i = 0; i < model.layer_count(); ++i)
    plan.page_bytes.push_back(model.page_bytes(i));
  return plan;
}

}  // namespace vl2
