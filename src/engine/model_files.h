// SPDX-License-Identifier: MIT
// From a model folder to a model in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/parallel.h"
#include "checkpoint/model_config.h"
#include "checkpoint/recipe.h"
#include "model/model.h"
#include "text/tokenizer.h"

namespace vl2 {

// Move-only in practice: a model is large.
struct LoadedModel {
  std::string name;                    // the folder's
  std::optional<Tokenizer> tokenizer;  // missing for random weights
  Model model;
  double load_seconds = 0.0;

  const ModelConfig& config() const noexcept { return model.config(); }
};

struct LoadOptions {
  // Nothing: as the folder has them, a released checkpoint in bf16. A packed folder is what it is.
  std::optional<Recipe> recipe = {};
  bool integer_vision = false;     // the vision tower multiplies 8-bit integers
  std::size_t context_tokens = 0;  // 0: max_position_embeddings
  ThreadTeam team = ThreadTeam();
  // Bytes of the checkpoint, read and in all. Return false to stop: Error{cancelled}.
  std::function<bool(std::size_t done, std::size_t total)> progress = {};
};

// Released checkpoints are packed while they are read; packed folders are mapped, and progress is
// not told. Throws Error{not_found, io, bad_checkpoint, unsupported} naming the file,
// Error{out_of_memory} with the numbers when there is not the memory for weights and context,
// before they are read; Error{invalid_argument} when another recipe is asked for than a packed
// folder has.
LoadedModel load_model(const std::filesystem::path& folder, const LoadOptions& options);

// A model of that shape with random weights, to measure speed. It has no tokenizer.
LoadedModel random_model(const ModelConfig& config, const std::string& name,
                         const LoadOptions& options);

// The tokens of context that are meant: `asked`, or with 0 max_position_embeddings. Throws
// Error{invalid_argument} for more than makes sense.
std::size_t context_of(const ModelConfig& config, std::size_t asked);

// The word for weights as the folder has them, where a recipe may be named.
inline constexpr std::string_view kWeightsOfFolder = "auto";
// Throws Error{invalid_argument} for what is no recipe.
std::optional<Recipe> recipe_wanted(std::string_view weights);
// The words are bf16 and int8. Throws as recipe_wanted() does.
bool integer_vision_wanted(std::string_view vision);

}  // namespace vl2
