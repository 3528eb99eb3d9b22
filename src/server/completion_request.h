// SPDX-License-Identifier: MIT
// POST /v1/completions as clients send it: texts to go on with, without a conversation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/generation_fields.h"

namespace vl2 {

// A text, or its tokens.
using RawPrompt = std::variant<std::string, std::vector<std::int32_t>>;

struct CompletionRequest {
  std::string model;
  std::vector<RawPrompt> prompts;
  GenerationFields generation;
};

// Throws ApiError 400 naming the part at fault. Unknown members are ignored.
CompletionRequest parse_completion_request(std::string_view body,
                                           const GenerationOptions& defaults);

}  // namespace vl2
