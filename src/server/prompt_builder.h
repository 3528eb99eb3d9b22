// SPDX-License-Identifier: MIT
// From what a client sent to what the engine takes.
#pragma once

#include <string>
#include <vector>

#include "vl2/message.h"

#include "engine/request.h"
#include "image/tiling.h"
#include "server/chat_request.h"
#include "server/completion_request.h"
#include "server/server_context.h"

namespace vl2 {

struct PreparedPrompt {
  PromptInput input;
  std::vector<Message> messages;  // pictures have their sizes, but no pixels any more
};

// Throws ApiError naming the part that is wrong, 400 with the numbers when the prompt does not fit.
PreparedPrompt prepare_conversation(ServerContext& server, std::vector<ChatMessage> messages,
                                    const GenerationFields& fields);

// A text or tokens that go to the model as they are, texts after the begin token.
PromptInput prepare_raw(const ServerContext& server, const RawPrompt& prompt,
                        const std::string& param);

// What it would cost, the messages, and how their pictures are cut.
struct ConversationCost {
  PromptCost cost;
  std::vector<Message> messages;
  TilingOptions tiling;
};
ConversationCost conversation_cost(ServerContext& server, std::vector<ChatMessage> messages,
                                   const GenerationFields& fields);

// The same prompt as often as choices are wanted, each with its seed. Throws ApiError 400.
std::vector<Request> make_requests(ServerContext& server, const PromptInput& prompt,
                                   const GenerationFields& fields, const ResponseFormat& format);

}  // namespace vl2
