// SPDX-License-Identifier: MIT
// POST /api/chat and /api/generate as Ollama's clients send them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/chat_request.h"

namespace vl2 {

struct OllamaRequest {
  std::string model;  // empty: whichever is there
  std::vector<ChatMessage>
      messages;  // none, and no raw prompt: only asks whether the model is there
  std::optional<std::string> raw_prompt;  // goes to the model without a template
  GenerationFields generation;
  ResponseFormat format;
};

// Throw ApiError 400 naming the part at fault. Unknown members and options are ignored; so are
// num_ctx and everything else that sizes Ollama's own engine.
OllamaRequest parse_ollama_chat(std::string_view body, const GenerationOptions& defaults);
OllamaRequest parse_ollama_generate(std::string_view body, const GenerationOptions& defaults);

}  // namespace vl2
