// SPDX-License-Identifier: MIT
// POST /v1/chat/completions as clients send it. Knows nothing of the engine but its options.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vl2/message.h"

#include "server/generation_fields.h"
#include "server/request_field.h"
#include "server/response_format.h"

namespace vl2 {

// Where a picture is to come from, not yet looked at.
struct PictureSource {
  std::string url;    // data:, file:, http: or https:
  std::string param;  // its place in the request
  int width = 0;      // above 0: only the size was told, which is enough for counting tokens
  int height = 0;
  std::vector<std::uint8_t> bytes = {};  // what the URL names, once it was fetched from elsewhere
};

// Texts of several parts are joined. Pictures that stand before all text or after it have no
// `<image>` in it and take the usual place before the text; those between texts have theirs.
struct ChatMessage {
  Role role = Role::user;
  std::string text;
  std::vector<PictureSource> pictures;
  std::string param;  // "messages[0]"
};

struct ChatRequest {
  std::string model;  // empty: whichever is there
  std::vector<ChatMessage> messages;
  GenerationFields generation;
  ResponseFormat format;
};

// Throws ApiError 400 naming the part at fault. Unknown members are ignored.
ChatRequest parse_chat_request(std::string_view body, const GenerationOptions& defaults);

// The member `messages` alone.
std::vector<ChatMessage> parse_messages(const RequestField& messages);

}  // namespace vl2
