// SPDX-License-Identifier: MIT
#include "engine/model_files.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "vl2/error.h"

#include "checkpoint/checkpoint.h"
#include "checkpoint/model_size.h"
#include "engine/memory_limit.h"
#include "model/tensor_source.h"
#include "model/weight_loader.h"

namespace vl2 {
namespace {

// Far beyond any model, and small enough for every table of positions.
constexpr std::size_t kMostContextTokens = std::size_t{1} << 22;

double gib(std::size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0); }

std::size_t size(int value) { return static_cast<std::size_t>(value); }

std::size_t context_of(const ModelConfig& config, std::size_t asked) {
  if (asked > kMostContextTokens) {
    throw Error(ErrorCode::invalid_argument, fmt::format("a context of {} tokens is too long, at "
                                                         "most {} are possible",
                                                         asked, kMostContextTokens));
  }
  return asked > 0 ? asked : size(config.language.max_position_embeddings);
}

void check_memory(const ModelConfig& config, const std::string& name, Recipe recipe) {
  const std::size_t needed = estimated_weight_bytes(config, recipe);
  const std::size_t limit = memory_limit_bytes();
  if (needed <= limit) return;
  throw Error(ErrorCode::out_of_memory,
              fmt::format("the weights of {} take {:.1f} GiB as {} and there are {:.1f} GiB of "
                          "memory; take a smaller model{}",
                          name, gib(needed), to_string(recipe), gib(limit),
                          recipe == Recipe::int4_max ? "" : " or fewer bits a weight"));
}

// Embedding rows are looked up by token id without a check.
void check_vocabulary(const ModelConfig& config, const Tokenizer& tokenizer,
                      const std::filesystem::path& folder) {
  if (tokenizer.vocabulary_size() <= config.language.vocab_size) return;
  throw Error(
      ErrorCode::bad_checkpoint,
      fmt::format("{}: the tokenizer has ids up to {}, the model's vocab_size is {}; the "
                  "files do not belong together",
                  folder.string(), tokenizer.vocabulary_size() - 1, config.language.vocab_size));
}

std::string name_of(const std::filesystem::path& folder) {
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

// Loads from any source; fills everything but name and tokenizer.
LoadedModel load_from(const TensorSource& source, const ModelConfig& config,
                      const LoadOptions& options, std::size_t total_bytes) {
  const auto start = std::chrono::steady_clock::now();
  const auto progress = [&](std::size_t bytes) {
    if (options.progress && !options.progress(std::min(bytes, total_bytes), total_bytes))
      throw Error(ErrorCode::cancelled, "loading the model was stopped");
  };
  WeightLoader loader(source, options.recipe, options.team, progress);
  Model model(config, loader, context_of(config, options.context_tokens));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {{}, {}, std::move(model), seconds.count()};
}

// Numbers of the largest tensor the model has.
std::size_t largest_tensor(const ModelConfig& config) {
  const LanguageConfig& language = config.language;
  const std::size_t hidden = size(language.hidden_size);
  const std::size_t queries = size(language.num_attention_heads) *
                              size(std::max(language.query_head_dim(), language.value_head_dim()));
  std::size_t latent = 0;
  if (const auto* mla = std::get_if<LatentAttentionConfig>(&language.attention)) {
    const std::size_t up = size(mla->qk_nope_head_dim + mla->v_head_dim);
    latent = std::max(size(mla->cached_width()) * hidden,
                      size(language.num_attention_heads) * up * size(mla->kv_lora_rank));
    latent = std::max(latent, size(mla->q_lora_rank.value_or(0)) * std::max(queries, hidden));
  }
  const MoeConfig moe = language.moe.value_or(MoeConfig{});
  const std::size_t inner = std::max(size(language.intermediate_size),
                                     size(std::max(moe.shared_width(), moe.moe_intermediate_size)));
  const std::size_t width = size(config.vision.width);
  const std::size_t patch = size(3 * config.vision.patch_size) * size(config.vision.patch_size);
  const std::size_t tower = width * std::max({size(config.vision.mlp_hidden()), 3 * width, patch,
                                              size(config.vision.patch_count())});
  const ProjectorConfig& projector = config.projector;
  const std::size_t widest = size(std::max(projector.hidden_width(), projector.n_embed));
  const std::size_t projection =
      std::max({size(projector.first_input_width()) * widest, widest * widest,
                4 * size(projector.input_dim) * size(projector.input_dim)});
  return std::max({size(language.vocab_size) * hidden, queries * hidden, latent, inner * hidden,
                   size(moe.n_routed_experts) * hidden, tower, projection});
}

}  // namespace

std::size_t estimated_weight_bytes(const ModelConfig& config, Recipe recipe) {
  const ModelSize sizes = model_size(config);
  const auto bytes = [&](std::size_t weights, WeightRole role) {
    return weights * step_bytes_of(format_of(recipe, role)) / (2 * kTileNumbers);
  };
  std::size_t total = size(config.language.vocab_size) * size(config.language.hidden_size) *
                      sizeof(Bf16);  // the embedding
  total += bytes(sizes.vision, WeightRole::vision) + bytes(sizes.projector, WeightRole::projector);
  for (std::size_t i = 0; i < kWeightRoleCount; ++i) {
    const auto role = static_cast<WeightRole>(i);
    total += bytes(sizes.of(role), role);
  }
  return total;
}

LoadedModel load_model(const std::filesystem::path& folder, const LoadOptions& options) {
  const ModelConfig config = load_model_config(folder);
  check_memory(config, name_of(folder), options.recipe);
  Tokenizer tokenizer = Tokenizer::load(folder);
  check_vocabulary(config, tokenizer, folder);
  const Checkpoint checkpoint(folder);
  const CheckpointSource source(checkpoint);
  LoadedModel loaded = load_from(source, config, options, checkpoint.total_bytes());
  loaded.name = name_of(folder);
  loaded.tokenizer = std::move(tokenizer);
  return loaded;
}

LoadedModel random_model(const ModelConfig& config, const std::string& name,
                         const LoadOptions& options) {
  check_memory(config, name, options.recipe);
  const RandomSource source(largest_tensor(config), options.team);
  const auto bytes = static_cast<std::size_t>(model_size(config).total()) * sizeof(Bf16);
  LoadedModel loaded = load_from(source, config, options, bytes);
  loaded.name = name;
  return loaded;
}

}  // namespace vl2
