// SPDX-License-Identifier: MIT
// From a model folder to a model in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

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
  Recipe recipe = Recipe::bf16;
  std::size_t context_tokens = 0;  // 0: max_position_embeddings
  ThreadTeam team = ThreadTeam();
  // Bytes of the checkpoint, read and in all. Return false to stop: Error{cancelled}.
  std::function<bool(std::size_t done, std::size_t total)> progress = {};
};

// Throws Error{not_found, io, bad_checkpoint, unsupported} naming the file, Error{out_of_memory}
// with the numbers when the weights are larger than the machine, before they are read.
LoadedModel load_model(const std::filesystem::path& folder, const LoadOptions& options);

// A model of that shape with random weights, to measure speed. It has no tokenizer.
LoadedModel random_model(const ModelConfig& config, const std::string& name,
                         const LoadOptions& options);

// What the weights of such a model take in memory, about.
std::size_t estimated_weight_bytes(const ModelConfig& config, Recipe recipe);

}  // namespace vl2
