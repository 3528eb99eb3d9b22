// SPDX-License-Identifier: MIT
#include "text/conversation_json.h"

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "vl2/error.h"
#include "vl2/message.h"

#include "base/mapped_file.h"
#include "text/chat_template.h"
#include "text/json_field.h"

namespace vl2 {
namespace {

Role parse_role(const JsonField& field) {
  try {
    return role_of_name(field.string());
  } catch (const Error& error) {
    throw Error(error.code(), field.where() + ": " + error.what());
  }
}

}  // namespace

Conversation parse_conversation(std::string_view json, const std::filesystem::path& folder,
                                const std::string& name) {
  const nlohmann::json document = parse_json(json, name, ErrorCode::invalid_argument);
  Conversation conversation;
  for (const JsonField& message :
       JsonField(document, name, ErrorCode::invalid_argument).elements()) {
    conversation.turns.push_back({parse_role(message.at("role")), message.at("content").string()});
    if (!message.object().contains("images")) continue;
    for (const JsonField& image : message.at("images").elements()) {
      conversation.images.push_back(folder / image.string());
    }
  }
  return conversation;
}

Conversation load_conversation(const std::filesystem::path& path) {
  return parse_conversation(read_text_file(path), path.parent_path(), path.string());
}

}  // namespace vl2
