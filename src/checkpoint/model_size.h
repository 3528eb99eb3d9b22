// SPDX-License-Identifier: MIT
// Numbers of parameters, counted from the configuration alone.
#pragma once

#include <array>
#include <cstdint>

#include "checkpoint/model_config.h"
#include "checkpoint/recipe.h"

namespace vl2 {

struct ModelSize {
  std::uint64_t vision = 0;     // with the attention pool, which is never used
  std::uint64_t projector = 0;  // with the newline and separator embeddings
  std::uint64_t language = 0;   // with embedding and head; the head once more unless it is tied
  std::uint64_t routed_experts = 0;  // of language
  // Language parameters that one token is multiplied with: without the embedding table, and of the
  // routed experts only those chosen.
  std::uint64_t active_per_token = 0;

  // Of language, by what they are for, with biases; the roles of vision and projector are zero.
  std::array<std::uint64_t, kWeightRoleCount> by_role{};
  std::uint64_t of(WeightRole role) const noexcept {
    return by_role[static_cast<std::size_t>(role)];
  }
  // The part of them that one token is multiplied with.
  std::uint64_t active_of(WeightRole role) const noexcept;

  std::uint64_t total() const noexcept { return vision + projector + language; }

  int routed_experts_chosen = 0;  // of routed_experts_there, by each token
  int routed_experts_there = 1;
};

ModelSize model_size(const ModelConfig& config);

}  // namespace vl2
