// SPDX-License-Identifier: MIT
#include "server/chat_response.h"

#include <utility>

namespace vl2 {
namespace {

double per_second(std::size_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
}

Json bytes_json(std::string_view bytes) {
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
  return list;
}

Json token_json(const TokenProbability& token, const Tokenizer& tokenizer) {
  return {{"token", token.text},
          {"logprob", token.logprob},
          {"bytes", bytes_json(tokenizer.bytes(token.token))}};
}

}  // namespace

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

Json head_json(const ResponseHead& head) {
  return {{"id", head.id},
          {"object", head.object},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", head.fingerprint}};
}

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details",
           {{"cached_tokens", usage.cached_tokens}, {"image_tokens", usage.image_tokens}}}};
}

Json timings_json(const Usage& usage, const Timings& timings) {
  constexpr double kMs = 1e3;
  const std::size_t read = usage.prompt_tokens - usage.cached_tokens;
  return {{"vision_ms", timings.vision * kMs},
          {"cache_n", usage.cached_tokens},
          {"prompt_n", read},
          {"prompt_ms", timings.prefill * kMs},
          {"prompt_per_second", per_second(read, timings.prefill)},
          {"predicted_n", usage.completion_tokens},
          {"predicted_ms", timings.decode * kMs},
          {"predicted_per_second", per_second(usage.completion_tokens, timings.decode)}};
}

Json grounding_json(std::span<const GroundedRegion> regions) {
  Json list = Json::array();
  for (const GroundedRegion& region : regions) {
    list.push_back(
        {{"label", region.label},
         {"image", region.image},
         {"box", region.box},
         {"pixels", region.pixels},
         {"probability", region.probability ? Json(*region.probability) : Json(nullptr)}});
  }
  return list;
}

Json logprobs_json(std::span<const TokenReport> reports, const Tokenizer& tokenizer) {
  Json list = Json::array();
  for (const TokenReport& report : reports) {
    Json token = token_json(report.chosen, tokenizer);
    token["top_logprobs"] = Json::array();
    for (const TokenProbability& other : report.top)
      token["top_logprobs"].push_back(token_json(other, tokenizer));
    list.push_back(std::move(token));
  }
  return list;
}

Json completion_logprobs_json(std::span<const TokenReport> reports, std::size_t offset) {
  Json json = {{"tokens", Json::array()},
               {"token_logprobs", Json::array()},
               {"top_logprobs", Json::array()},
               {"text_offset", Json::array()}};
  for (const TokenReport& report : reports) {
    json["tokens"].push_back(report.chosen.text);
    json["token_logprobs"].push_back(report.chosen.logprob);
    Json top = Json::object();
    for (const TokenProbability& other : report.top) top[other.text] = other.logprob;
    json["top_logprobs"].push_back(std::move(top));
    json["text_offset"].push_back(offset);
    offset += count_characters(report.chosen.text);
  }
  return json;
}

Json chat_chunk_json(const ResponseHead& head, std::size_t choice, Json delta,
                     const std::optional<FinishReason>& finish_reason) {
  Json json = head_json(head);
  Json entry = {{"index", choice}, {"delta", std::move(delta)}, {"logprobs", nullptr}};
  entry["finish_reason"] = finish_reason ? Json(to_string(*finish_reason)) : Json(nullptr);
  json["choices"] = Json::array({std::move(entry)});
  return json;
}

std::string last_events(const ResponseHead& head, const std::optional<Usage>& usage) {
  std::string events;
  if (usage) {
    Json json = head_json(head);
    json["choices"] = Json::array();
    json["usage"] = usage_json(*usage);
    events = event(json);
  }
  return events + "data: [DONE]\n\n";
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string event(const Json& json) { return "data: " + dump(json) + "\n\n"; }

}  // namespace vl2
