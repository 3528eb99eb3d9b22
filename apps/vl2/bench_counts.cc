// SPDX-License-Identifier: MIT
#include "bench_counts.h"

#include <cmath>
#include <variant>

#include "checkpoint/model_size.h"
#include "engine/memory_need.h"

namespace vl2 {
namespace {

double number(int value) { return static_cast<double>(value); }

// Multiplications of one query with one key and its value, in all heads of one layer.
double attention_products(const LanguageConfig& config) {
  if (const auto* latent = std::get_if<LatentAttentionConfig>(&config.attention)) {
    return number(config.num_attention_heads) *
           number(latent->cached_width() + latent->kv_lora_rank);
  }
  return number(config.num_attention_heads) *
         number(config.query_head_dim() + config.value_head_dim());
}

double head_parameters(const LanguageConfig& config) {
  return number(config.vocab_size) * number(config.hidden_size);
}

double bytes_a_weight(WeightFormat format) {
  return static_cast<double>(step_bytes_of(format)) / (2 * kTileNumbers);
}

}  // namespace

double vision_flops_per_tile(const ModelConfig& config) {
  const VisionConfig& vision = config.vision;
  const double patches = number(vision.patch_count());
  const double width = number(vision.width);
  const double patch_pixels = 3 * number(vision.patch_size) * number(vision.patch_size);
  const double linear = 4 * width * width + 2 * width * number(vision.mlp_hidden());
  const double attention = 2 * patches * width;  // scores and values, for each patch
  double products = patches * (patch_pixels * width + number(vision.layers) * (linear + attention));

  const ProjectorConfig& projector = config.projector;
  const double tokens = number(config.tokens_per_side()) * number(config.tokens_per_side());
  double inputs = number(projector.first_input_width());
  for (int i = 0; i < projector.linear_count(); ++i) {
    const bool is_last = i + 1 == projector.linear_count();
    const double outputs = number(is_last ? projector.n_embed : projector.hidden_width());
    products += tokens * inputs * outputs;
    inputs = outputs;
  }
  return 2 * products;
}

double language_flops(const ModelConfig& config, TokenRange tokens) {
  const LanguageConfig& language = config.language;
  const double head = head_parameters(language);
  const double body = static_cast<double>(model_size(config).active_per_token) - head;
  const auto first = static_cast<double>(tokens.first);
  const auto count = static_cast<double>(tokens.count);
  const double pairs = count * first + count * (count + 1) / 2;  // of a query and a key it sees
  const double attention =
      number(language.num_hidden_layers) * attention_products(language) * pairs;
  return 2 * (count * body + static_cast<double>(tokens.wanted) * head + attention);
}

double bytes_per_generated_token(const ModelConfig& config, Recipe recipe, std::size_t position) {
  return bytes_per_step(config, recipe, {1, position});
}

double bytes_per_step(const ModelConfig& config, Recipe recipe, const StepLoad& load) {
  const ModelSize size = model_size(config);
  const auto streams = static_cast<double>(load.streams);
  const double chosen = number(size.routed_experts_chosen) / number(size.routed_experts_there);
  const double chosen_by_any = 1 - std::pow(1 - chosen, streams);
  double bytes = streams * static_cast<double>((load.position + 1) *
                                               kv_bytes_per_token(config.language, recipe));
  for (std::size_t i = 0; i < kWeightRoleCount; ++i) {
    const auto role = static_cast<WeightRole>(i);
    const double weights = role == WeightRole::routed_experts
                               ? chosen_by_any * static_cast<double>(size.of(role))
                               : static_cast<double>(size.active_of(role));
    bytes += bytes_a_weight(format_of(recipe, role)) * weights;
  }
  return bytes;
}

}  // namespace vl2
