// SPDX-License-Identifier: MIT
#include "engine/memory_need.h"

#include <algorithm>

#include "base/aligned.h"
#include "kernels/attention/attention.h"
#include "model/activation_size.h"
#include "model/model_plan.h"

namespace vl2 {
namespace {

// Measured: the program with its libraries, and the tokenizer while it is read, an id.
constexpr std::size_t kProgramBytes = std::size_t{16} << 20;
constexpr std::size_t kTokenizerBytesPerId = 330;

std::size_t size(int value) { return static_cast<std::size_t>(value); }

std::size_t most_tiles(const ProcessorConfig& processor) {
  std::size_t most = 0;
  for (const CandidateResolution& candidate : processor.candidate_resolutions)
    most = std::max(most, size(candidate.width / processor.image_size()) *
                              size(candidate.height / processor.image_size()));
  return most + 1;  // and the whole picture in one
}

// Rows of each tile, the same arranged, and the pixels of the tiles that are encoded together.
std::size_t picture_bytes(const ModelConfig& config, std::size_t tiles_at_once) {
  const std::size_t side = size(config.tokens_per_side());
  const std::size_t tile_rows = side * side * size(config.language.hidden_size) * sizeof(float);
  const std::size_t pixels = 3 * size(config.vision.image_size) * size(config.vision.image_size);
  return 2 * most_tiles(config.processor) * tile_rows + tiles_at_once * pixels * sizeof(float);
}

std::size_t cached_numbers(const LanguageConfig& config) {
  if (const auto* latent = std::get_if<LatentAttentionConfig>(&config.attention))
    return size(latent->cached_width());
  const auto& plain = std::get<PlainAttentionConfig>(config.attention);
  return 2 * size(plain.num_key_value_heads) * size(plain.head_dim);
}

}  // namespace

std::size_t estimated_weight_bytes(const ModelConfig& config, Recipe recipe) {
  return plan_model(config, recipe).weight_bytes;
}

std::size_t kv_bytes_per_token(const LanguageConfig& config, Recipe recipe) {
  return size(config.num_hidden_layers) * cached_numbers(config) * bytes_of(operand_of(recipe));
}

MemoryNeed memory_need(const ModelConfig& config, const RunShape& run) {
  const StepSize step{.tokens = std::min(run.limits.chunk_tokens, run.context_tokens),
                      .wanted_rows = 1,
                      .tiles = run.tiles_at_once,
                      .threads = run.threads,
                      .operand = operand_of(run.recipe)};
  return {.weights = estimated_weight_bytes(config, run.recipe),
          .kv_cache = round_up(run.context_tokens, kPageTokens) *
                      kv_bytes_per_token(config.language, run.recipe),
          .activations = activation_bytes(config, step),
          .pictures = picture_bytes(config, run.tiles_at_once),
          .program = kProgramBytes + size(config.language.vocab_size) * kTokenizerBytesPerId};
}

}  // namespace vl2
