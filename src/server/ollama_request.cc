// SPDX-License-Identifier: MIT
#include "server/ollama_request.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "server/api_error.h"

namespace vl2 {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

GenerationFields parse_options(const RequestField& body, const GenerationOptions& defaults) {
  GenerationFields fields;
  fields.options = defaults;
  fields.options.max_tokens = std::numeric_limits<std::size_t>::max();
  fields.stream = body.boolean_or("stream", true);
  const auto options = body.find("options");
  if (!options) return fields;
  parse_sampling(*options, fields.options);
  fields.options.repetition_penalty =
      options->number_or("repeat_penalty", 0.01, 100, fields.options.repetition_penalty);
  fields.presence_penalty = options->number_or("presence_penalty", -2, 2, 0);
  fields.frequency_penalty = options->number_or("frequency_penalty", -2, 2, 0);
  if (const auto stop = options->find("stop")) fields.options.stop = parse_stop(*stop);
  if (const auto seed = options->find("seed"))
    fields.seed = static_cast<std::uint64_t>(seed->integer(-kHuge - 1, kHuge));
  // Zero and negative numbers: as many as fit.
  if (const auto most = options->find("num_predict")) {
    const std::int64_t tokens = most->integer(-kHuge - 1, kHuge);
    if (tokens > 0) fields.options.max_tokens = static_cast<std::size_t>(tokens);
  }
  return fields;
}

ResponseFormat parse_format(const RequestField& body) {
  ResponseFormat format;
  const auto field = body.find("format");
  if (!field) return format;
  if (field->is_object()) {
    format.type = ResponseFormat::Type::json_schema;
    format.schema = std::move(field->json());
    format.param = field->path();
    return format;
  }
  const std::string& name = field->string();
  if (name == "json") {
    format.type = ResponseFormat::Type::json_object;
  } else if (!name.empty()) {
    field->fail(
        fmt::format("Invalid value: '{}'. Expected 'json' or a JSON schema.", name.substr(0, 64)));
  }
  return format;
}

std::vector<PictureSource> parse_images(const RequestField& owner) {
  std::vector<PictureSource> pictures;
  const auto images = owner.find("images");
  if (!images) return pictures;
  for (const RequestField& image : images->elements()) {
    std::string text = image.take_string();
    if (!text.starts_with("data:")) text.insert(0, "data:image/any;base64,");
    pictures.push_back({std::move(text), image.path()});
  }
  return pictures;
}

Role parse_role(const RequestField& role) {
  const std::string& name = role.string();
  if (name == "user") return Role::user;
  if (name == "assistant") return Role::assistant;
  if (name == "system") return Role::system;
  role.fail(fmt::format("Invalid value: '{}'. Expected 'system', 'user' or 'assistant'.",
                        name.substr(0, 64)));
}

ChatMessage parse_message(const RequestField& field) {
  ChatMessage message;
  message.param = field.path();
  message.role = parse_role(field.at("role"));
  if (const auto content = field.find("content")) message.text = content->take_string();
  message.pictures = parse_images(field);
  if (!message.pictures.empty() && message.role != Role::user)
    field.fail("Pictures belong into messages of the role 'user'.");
  return message;
}

OllamaRequest parse_common(const RequestField& root, const GenerationOptions& defaults) {
  OllamaRequest request;
  request.model = root.string_or("model", "");
  request.generation = parse_options(root, defaults);
  request.format = parse_format(root);
  return request;
}

// What would change the answer and is not there must not be passed over in silence.
void refuse(const RequestField& root, std::string_view key, std::string_view instead) {
  const auto field = root.find(key);
  if (!field || field->json().empty() || field->json() == "") return;
  field->fail(fmt::format("This server does not take '{}'; {}.", key, instead),
              "unsupported_parameter");
}

}  // namespace

OllamaRequest parse_ollama_chat(std::string_view body, const GenerationOptions& defaults) {
  RequestJson json = parse_request_json(body);
  const RequestField root(json);
  OllamaRequest request = parse_common(root, defaults);
  refuse(root, "tools", "the model calls no tools");
  if (const auto messages = root.find("messages"))
    for (const RequestField& message : messages->elements())
      request.messages.push_back(parse_message(message));
  return request;
}

OllamaRequest parse_ollama_generate(std::string_view body, const GenerationOptions& defaults) {
  RequestJson json = parse_request_json(body);
  const RequestField root(json);
  OllamaRequest request = parse_common(root, defaults);
  refuse(root, "suffix", "the model writes on at the end alone");
  refuse(root, "template", "the model has its own");
  refuse(root, "context", "send the whole conversation to /api/chat");
  std::string prompt = root.string_or("prompt", "");
  std::vector<PictureSource> pictures = parse_images(root);
  if (prompt.empty() && pictures.empty()) return request;
  if (root.boolean_or("raw", false)) {
    if (!pictures.empty()) root.at("images").fail("A raw prompt takes no pictures.");
    request.raw_prompt = std::move(prompt);
    return request;
  }
  const std::string system = root.string_or("system", "");
  if (!system.empty()) request.messages.push_back({Role::system, system, {}, "system"});
  request.messages.push_back({Role::user, std::move(prompt), std::move(pictures), "prompt"});
  return request;
}

}  // namespace vl2
