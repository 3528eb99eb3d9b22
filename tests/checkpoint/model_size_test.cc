// SPDX-License-Identifier: MIT
#include "checkpoint/model_size.h"

#include <gmock/gmock.h>

#include "checkpoint/checkpoint.h"

namespace vl2 {
namespace {

const std::filesystem::path kTestData = VL2_TEST_DATA;

struct Counted {
  std::uint64_t vision = 0;
  std::uint64_t projector = 0;
  std::uint64_t language = 0;
  std::uint64_t routed_experts = 0;
};

// What the weights themselves hold.
Counted count_tensors(const Checkpoint& checkpoint) {
  Counted counted;
  for (const TensorView* tensor : checkpoint.tensors()) {
    const std::string& name = tensor->name;
    std::uint64_t& part = name.starts_with("vision.")     ? counted.vision
                          : name.starts_with("language.") ? counted.language
                                                          : counted.projector;
    part += tensor->count();
    if (name.find(".experts.") != std::string::npos) counted.routed_experts += tensor->count();
  }
  return counted;
}

TEST(ModelSize, EqualsWhatTheWeightsHold) {
  for (const char* name : {"goldens/checkpoints/mha-softmax", "goldens/checkpoints/mla-softmax",
                           "goldens/checkpoints/mla-sigmoid", "goldens/checkpoints/mla-general",
                           "../../models/vl2-nano"}) {
    const Counted counted = count_tensors(Checkpoint(kTestData / name));
    const ModelSize size = model_size(load_model_config(kTestData / name));
    EXPECT_EQ(size.vision, counted.vision) << name;
    EXPECT_EQ(size.projector, counted.projector) << name;
    EXPECT_EQ(size.language, counted.language) << name;
    EXPECT_EQ(size.routed_experts, counted.routed_experts) << name;
  }
}

// The shape of DeepSeek-VL2-Small: 16 billion parameters, 2.8 billion of them active with the
// vision encoder's 0.4.
TEST(ModelSize, AgreesWithThePublishedSizes) {
  ModelConfig small;
  small.vision = {.patch_size = 14, .width = 1152, .layers = 27, .heads = 16, .mlp_ratio = 3.7362};
  small.language.hidden_size = 2048;
  small.language.intermediate_size = 10944;
  small.language.num_hidden_layers = 27;
  small.language.num_attention_heads = 16;
  small.language.attention = LatentAttentionConfig{};
  small.language.moe = MoeConfig{.n_routed_experts = 64,
                                 .n_shared_experts = 2,
                                 .num_experts_per_tok = 6,
                                 .moe_intermediate_size = 1408,
                                 .first_k_dense_replace = 1};
  const ModelSize size = model_size(small);
  EXPECT_NEAR(static_cast<double>(size.total()), 16.1e9, 0.1e9);
  EXPECT_NEAR(static_cast<double>(size.active_per_token + size.vision), 2.8e9, 0.15e9);
}

TEST(ModelSize, ATokenMeetsOnlyItsExperts) {
  ModelConfig config = load_model_config(kTestData / "goldens/checkpoints/mla-softmax");
  const std::uint64_t before = model_size(config).active_per_token;
  config.language.moe->num_experts_per_tok += 1;
  const std::uint64_t one_expert = 3 * 96 * 40;
  EXPECT_EQ(model_size(config).active_per_token - before, 2 * one_expert);  // in two MoE layers
}

TEST(ModelSize, ATiedHeadIsCountedOnce) {
  ModelConfig config = load_model_config(kTestData / "goldens/checkpoints/mla-softmax");
  const ModelSize untied = model_size(config);
  config.language.tie_word_embeddings = true;
  EXPECT_EQ(untied.language - model_size(config).language, 1280U * 96U);
  EXPECT_EQ(untied.active_per_token, model_size(config).active_per_token);
}

}  // namespace
}  // namespace vl2
