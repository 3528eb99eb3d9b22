// SPDX-License-Identifier: MIT
#include "server/chat_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "server/api_error.h"
#include "text/special_tokens.h"

namespace vl2 {
namespace {

// A text, or a picture.
struct Part {
  std::string text;
  std::optional<PictureSource> picture;
};

Role parse_role(const RequestField& role) {
  const std::string& name = role.string();
  if (name == "user") return Role::user;
  if (name == "assistant") return Role::assistant;
  if (name == "system" || name == "developer") return Role::system;
  role.fail(
      fmt::format("Invalid value: '{}'. Supported values are: 'system', 'developer', 'user', "
                  "and 'assistant'.",
                  name.substr(0, 64)));
}

PictureSource parse_picture(const RequestField& part) {
  const RequestField image = part.at("image_url");
  PictureSource picture;
  picture.param = image.path();
  if (!image.is_string() && !image.find("url") && image.find("width")) {
    constexpr std::int64_t kLongestSide = 100'000;
    picture.width = static_cast<int>(image.at("width").integer(1, kLongestSide));
    picture.height = static_cast<int>(image.at("height").integer(1, kLongestSide));
    return picture;
  }
  const RequestField url = image.is_string() ? image : image.at("url");
  picture.url = url.take_string();
  return picture;
}

Part parse_part(const RequestField& part, Role role) {
  const RequestField type = part.at("type");
  const std::string& name = type.string();
  if (name == "text") return {part.at("text").take_string(), {}};
  if (name == "refusal" && role == Role::assistant) return {part.at("refusal").take_string(), {}};
  if (name == "image_url") {
    if (role != Role::user) part.fail("Pictures belong into messages of the role 'user'.");
    return {{}, parse_picture(part)};
  }
  type.fail(fmt::format("Invalid value: '{}'. Supported values are: 'text' and 'image_url'.",
                        name.substr(0, 64)));
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Pictures between texts keep their places.
bool between_texts(const std::vector<Part>& parts) {
  const auto is_text = [](const Part& part) { return !part.picture; };
  const auto first = std::ranges::find_if(parts, is_text);
  const auto last = std::ranges::find_if(parts.rbegin(), parts.rend(), is_text).base();
  return first < last && std::any_of(first, last, [](const Part& part) { return part.picture; });
}

// Texts that have picture places already keep them as they are.
bool has_places(const std::vector<Part>& parts) {
  return std::ranges::any_of(
      parts, [](const Part& part) { return part.text.find(kImageTag) != std::string::npos; });
}

void join(std::vector<Part> parts, ChatMessage& message) {
  const bool place = between_texts(parts) && !has_places(parts);
  bool after_text = false;
  bool after_picture = false;
  for (Part& part : parts) {
    std::string& text = message.text;
    if (part.picture) {
      if (place) {
        // "image_1:" and a picture become "image_1: <image>", as the original writes it.
        if (after_text && !text.empty() && !is_space(text.back())) text += ' ';
        text += kImageTag;
      }
      message.pictures.push_back(*std::move(part.picture));
    } else {
      const bool apart = !text.empty() && (after_text || (place && after_picture)) &&
                         !part.text.empty() && !is_space(part.text.front()) &&
                         !is_space(text.back());
      if (apart) text += '\n';
      text += part.text;
    }
    after_picture = part.picture.has_value();
    after_text = !after_picture;
  }
}

ChatMessage parse_message(const RequestField& field) {
  ChatMessage message;
  message.param = field.path();
  message.role = parse_role(field.at("role"));
  const auto content = field.find("content");
  if (!content) {
    if (message.role != Role::assistant) field.at("content");  // throws
    return message;
  }
  if (content->is_string()) {
    message.text = content->take_string();
  } else if (content->is_array()) {
    std::vector<Part> parts;
    for (const RequestField& part : content->elements())
      parts.push_back(parse_part(part, message.role));
    join(std::move(parts), message);
  } else {
    content->fail(fmt::format("Invalid type for '{}': expected a string or an array of parts.",
                              content->path()),
                  "invalid_type");
  }
  return message;
}

}  // namespace

std::vector<ChatMessage> parse_messages(const RequestField& messages) {
  std::vector<ChatMessage> parsed;
  for (const RequestField& message : messages.elements()) parsed.push_back(parse_message(message));
  if (parsed.empty())
    messages.fail("Invalid 'messages': empty array. Expected an array with minimum length 1.",
                  "empty_array");
  return parsed;
}

ChatRequest parse_chat_request(std::string_view body, const GenerationOptions& defaults) {
  RequestJson json = parse_request_json(body);
  const RequestField root(json);
  ChatRequest request;
  request.model = root.string_or("model", "");
  request.generation = parse_generation_fields(root, defaults);
  request.generation.report_logprobs = root.boolean_or("logprobs", false);
  if (const auto top = root.find("top_logprobs")) {
    constexpr int kMostTop = 20;
    const std::int64_t count = top->integer(0, kMostTop);
    if (count > 0 && !request.generation.report_logprobs)
      top->fail("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.");
    request.generation.options.logprobs = static_cast<std::size_t>(count);
  }
  request.format = parse_response_format(root);
  request.messages = parse_messages(root.at("messages"));
  return request;
}

}  // namespace vl2
