// SPDX-License-Identifier: MIT
#include "engine/model_files.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/stopwatch.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/model_size.h"
#include "checkpoint/packed_folder.h"
#include "engine/memory_limit.h"
#include "engine/memory_need.h"
#include "model/model_plan.h"
#include "model/packed_source.h"
#include "model/packing_source.h"
#include "model/tensor_source.h"
#include "model/weight_loader.h"

namespace vl2 {
namespace {

// Far beyond any model, and small enough for every table of positions.
constexpr std::size_t kMostContextTokens = std::size_t{1} << 22;

double gib(std::size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0); }

std::size_t size(int value) { return static_cast<std::size_t>(value); }

void check_memory(const ModelConfig& config, const std::string& name, Recipe recipe,
                  const LoadOptions& options) {
  const std::size_t context = context_of(config, options.context_tokens);
  const MemoryNeed need = memory_need(
      config, {.recipe = recipe, .context_tokens = context, .threads = size(options.team.size())});
  const MemoryThere there = memory_there();
  if (need.total() <= there.free_bytes) return;
  throw Error(
      ErrorCode::out_of_memory,
      fmt::format("{} takes {:.1f} GiB as {} ({:.1f} for the weights, {:.1f} for {} tokens "
                  "of context, {:.1f} to work in) and {:.1f} of {:.1f} GiB of memory are "
                  "free; take a smaller model{}, or --context",
                  name, gib(need.total()), to_string(recipe), gib(need.weights), gib(need.kv_cache),
                  context, gib(need.total() - need.weights - need.kv_cache), gib(there.free_bytes),
                  gib(there.limit_bytes),
                  recipe == Recipe::int4_max ? "" : ", fewer bits a weight"));
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

// Fills everything but name and tokenizer.
LoadedModel load_from(WeightSource& source, const ModelConfig& config, const LoadOptions& options) {
  WeightLoader loader(source);
  Model model(config, loader, context_of(config, options.context_tokens));
  if (options.integer_vision) {
    if (model.operand() != Operand::bf16) {
      throw Error(ErrorCode::invalid_argument,
                  "vision int8 rounds what f32 weights keep exact; take other weights");
    }
    model.use_integer_vision(options.team);
  }
  return {{}, {}, std::move(model), 0.0};
}

LoadedModel pack(const TensorSource& tensors, const ModelConfig& config, const LoadOptions& options,
                 std::size_t total_bytes) {
  PackingSource source(
      tensors, options.recipe.value_or(Recipe::bf16), options.team, [&](std::size_t bytes) {
        if (options.progress && !options.progress(std::min(bytes, total_bytes), total_bytes))
          throw Error(ErrorCode::cancelled, "loading the model was stopped");
      });
  return load_from(source, config, options);
}

LoadedModel load_packed(const std::filesystem::path& folder, PackedDescription description,
                        const ModelConfig& config, const LoadOptions& options) {
  if (options.recipe && *options.recipe != description.recipe) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is packed as {}; for {} take the released weights", folder.string(),
                            to_string(description.recipe), to_string(*options.recipe)));
  }
  const PackedFolder packed(folder, std::move(description));
  PackedSource source(packed);
  return load_from(source, config, options);
}

// Numbers of the largest tensor the model has.
std::size_t largest_tensor(const ModelConfig& config) {
  const ModelPlan plan = plan_model(config, Recipe::bf16);
  std::size_t largest = 0;
  const auto see = [&](const std::vector<std::size_t>& shape) {
    std::size_t count = 1;
    for (const std::size_t one : shape) count *= one;
    largest = std::max(largest, count);
  };
  for (const MatrixSpec& matrix : plan.matrices)
    for (const MatrixPart& part : matrix.parts) see(part.shape);
  for (const VectorSpec& vector : plan.vectors) see(vector.shape);
  see(plan.embedding.shape);
  return largest;
}

}  // namespace

std::size_t context_of(const ModelConfig& config, std::size_t asked) {
  if (asked > kMostContextTokens) {
    throw Error(ErrorCode::invalid_argument, fmt::format("a context of {} tokens is too long, at "
                                                         "most {} are possible",
                                                         asked, kMostContextTokens));
  }
  return asked > 0 ? asked : size(config.language.max_position_embeddings);
}

std::optional<Recipe> recipe_wanted(std::string_view weights) {
  if (weights == kWeightsOfFolder) return std::nullopt;
  return recipe_from(weights);
}

bool integer_vision_wanted(std::string_view vision) {
  if (vision == "bf16" || vision == "int8") return vision == "int8";
  throw Error(ErrorCode::invalid_argument,
              fmt::format("there is no vision format \"{}\"; there are bf16 and int8", vision));
}

LoadedModel load_model(const std::filesystem::path& folder, const LoadOptions& options) {
  const Stopwatch stopwatch;
  const ModelConfig config = load_model_config(folder);
  std::optional<PackedDescription> description = read_packed_description(folder);
  const Recipe held = description ? description->recipe : options.recipe.value_or(Recipe::bf16);
  check_memory(config, name_of(folder), held, options);
  Tokenizer tokenizer = Tokenizer::load(folder);
  check_vocabulary(config, tokenizer, folder);
  LoadedModel loaded = [&] {
    if (description) return load_packed(folder, *std::move(description), config, options);
    const Checkpoint checkpoint(folder);
    return pack(CheckpointSource(checkpoint), config, options, checkpoint.total_bytes());
  }();
  loaded.name = name_of(folder);
  loaded.tokenizer = std::move(tokenizer);
  loaded.load_seconds = stopwatch.seconds();
  return loaded;
}

LoadedModel random_model(const ModelConfig& config, const std::string& name,
                         const LoadOptions& options) {
  const Stopwatch stopwatch;
  check_memory(config, name, options.recipe.value_or(Recipe::bf16), options);
  const RandomSource source(largest_tensor(config), options.team);
  const auto bytes = static_cast<std::size_t>(model_size(config).total()) * sizeof(Bf16);
  LoadedModel loaded = pack(source, config, options, bytes);
  loaded.name = name;
  loaded.load_seconds = stopwatch.seconds();
  return loaded;
}

}  // namespace vl2
