// SPDX-License-Identifier: MIT
#include "server/generation_fields.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "engine/generation_options.h"

namespace vl2 {
namespace {

constexpr std::int64_t kMostChoices = 16;
constexpr std::int64_t kMostStops = 64;
constexpr std::size_t kLongestStop = 1024;  // bytes
constexpr std::int64_t kMostTiles = 64;
constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

std::string checked_stop(const RequestField& stop) {
  const std::string& text = stop.string();
  if (text.empty()) stop.fail("A stop string is empty; leave it out.");
  if (text.size() > kLongestStop)
    stop.fail(fmt::format("A stop string has more than {} bytes.", kLongestStop));
  return text;
}

std::size_t parse_max_tokens(const RequestField& body) {
  auto field = body.find("max_completion_tokens");
  if (!field) field = body.find("max_tokens");
  if (!field) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(field->integer(1, kHuge));
}

std::vector<std::pair<std::int32_t, float>> parse_logit_bias(const RequestField& body) {
  std::vector<std::pair<std::int32_t, float>> biases;
  const auto field = body.find("logit_bias");
  if (!field) return biases;
  for (const auto& [key, unused] : field->object().items()) {
    std::int32_t token = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || token < 0)
      field->fail(fmt::format("Invalid 'logit_bias': '{}' is not a token id.", key.substr(0, 32)));
    if (const auto value = field->find(key))
      biases.emplace_back(token, static_cast<float>(value->number(-100, 100)));
  }
  return biases;
}

int integer_or(const RequestField& body, std::string_view key, std::int64_t lowest, int otherwise) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const auto field = body.find(key);
  return field ? static_cast<int>(field->integer(lowest, kMost)) : otherwise;
}

double parse_temperature(const RequestField& body, double otherwise) {
  const auto field = body.find("temperature");
  if (!field) return otherwise;
  const double temperature = field->number(0, 100);
  // So cold that only the most probable token is left.
  return temperature < kLeastTemperature ? 0.0 : temperature;
}

void parse_stream(const RequestField& body, GenerationFields& fields) {
  fields.stream = body.boolean_or("stream", false);
  const auto options = body.find("stream_options");
  if (!options) return;
  if (!fields.stream)
    options->fail("The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  fields.include_usage = options->boolean_or("include_usage", false);
}

}  // namespace

void parse_sampling(const RequestField& body, GenerationOptions& options) {
  options.temperature = parse_temperature(body, options.temperature);
  options.top_p = body.number_or("top_p", 0, 1, options.top_p);
  options.min_p = body.number_or("min_p", 0, 1, options.min_p);
  // -1 turns it off for clients of other servers.
  options.top_k = std::max(0, integer_or(body, "top_k", -1, options.top_k));
  options.repetition_penalty =
      body.number_or("repetition_penalty", 0.01, 100, options.repetition_penalty);
  options.no_repeat_ngram_size =
      integer_or(body, "no_repeat_ngram_size", 0, options.no_repeat_ngram_size);
}

std::vector<std::string> parse_stop(const RequestField& stop) {
  if (stop.is_string()) return {checked_stop(stop)};
  const std::vector<RequestField> elements = stop.elements();
  if (elements.size() > static_cast<std::size_t>(kMostStops))
    stop.fail(fmt::format("Invalid 'stop': at most {} strings are possible.", kMostStops));
  std::vector<std::string> stops;
  for (const RequestField& element : elements) stops.push_back(checked_stop(element));
  return stops;
}

GenerationFields parse_generation_fields(const RequestField& body,
                                         const GenerationOptions& defaults) {
  GenerationFields fields;
  fields.options = defaults;
  parse_sampling(body, fields.options);
  fields.options.max_tokens = parse_max_tokens(body);
  if (const auto stop = body.find("stop")) fields.options.stop = parse_stop(*stop);
  if (const auto seed = body.find("seed"))
    fields.seed = static_cast<std::uint64_t>(seed->integer(-kHuge - 1, kHuge));
  if (const auto n = body.find("n"))
    fields.choices = static_cast<std::size_t>(n->integer(1, kMostChoices));
  fields.logit_bias = parse_logit_bias(body);
  fields.presence_penalty = body.number_or("presence_penalty", -2, 2, 0);
  fields.frequency_penalty = body.number_or("frequency_penalty", -2, 2, 0);
  fields.constrain_boxes = body.boolean_or("constrain_boxes", true);
  if (const auto tiles = body.find("max_tiles"))
    fields.max_tiles = static_cast<int>(tiles->integer(1, kMostTiles));
  parse_stream(body, fields);
  return fields;
}

}  // namespace vl2
