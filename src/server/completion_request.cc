// SPDX-License-Identifier: MIT
#include "server/completion_request.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace vl2 {
namespace {

constexpr std::size_t kMostPrompts = 64;
constexpr std::int64_t kMostLogprobs = 20;

bool is_integers(const RequestField& field) {
  return !field.json().empty() &&
         std::ranges::all_of(field.json(), [](const auto& value) { return value.is_number(); });
}

std::vector<std::int32_t> parse_tokens(const RequestField& field) {
  std::vector<std::int32_t> tokens;
  for (const RequestField& token : field.elements())
    tokens.push_back(
        static_cast<std::int32_t>(token.integer(0, std::numeric_limits<std::int32_t>::max())));
  return tokens;
}

std::vector<RawPrompt> parse_prompts(const RequestField& field) {
  if (field.is_string()) return {field.take_string()};
  if (field.is_array() && is_integers(field)) return {parse_tokens(field)};
  std::vector<RawPrompt> prompts;
  for (const RequestField& prompt : field.elements()) {
    if (prompt.is_string())
      prompts.emplace_back(prompt.take_string());
    else
      prompts.emplace_back(parse_tokens(prompt));
  }
  if (prompts.empty() || prompts.size() > kMostPrompts)
    field.fail(fmt::format("Invalid 'prompt': expected from 1 to {} prompts.", kMostPrompts));
  return prompts;
}

}  // namespace

CompletionRequest parse_completion_request(std::string_view body,
                                           const GenerationOptions& defaults) {
  RequestJson json = parse_request_json(body);
  const RequestField root(json);
  CompletionRequest request;
  request.model = root.string_or("model", "");
  request.generation = parse_generation_fields(root, defaults);
  if (const auto logprobs = root.find("logprobs")) {
    request.generation.report_logprobs = true;
    request.generation.options.logprobs =
        static_cast<std::size_t>(logprobs->integer(0, kMostLogprobs));
  }
  for (const char* name : {"echo", "suffix"}) {
    const auto field = root.find(name);
    if (!field || (field->json().is_boolean() && !field->boolean())) continue;
    field->fail(fmt::format("This server does not know '{}'.", name), "unsupported_parameter");
  }
  request.prompts = parse_prompts(root.at("prompt"));
  return request;
}

}  // namespace vl2
