// SPDX-License-Identifier: MIT
// Numbers of parameters, counted from the configuration alone.
#pragma once

#include <cstdint>

#include "checkpoint/model_config.h"

namespace vl2 {

struct ModelSize {
  std::uint64_t vision = 0;     // with the attention pool, which is never used
  std::uint64_t projector = 0;  // with the newline and separator embeddings
  std::uint64_t language = 0;   // with embedding and head; the head once more unless it is tied
  std::uint64_t routed_experts = 0;  // of language
  // Language parameters that one token is multiplied with: without the embedding table, and of the
  // routed experts only those chosen.
  std::uint64_t active_per_token = 0;

  std::uint64_t total() const noexcept { return vision + projector + language; }
};

ModelSize model_size(const ModelConfig& config);

}  // namespace vl2
