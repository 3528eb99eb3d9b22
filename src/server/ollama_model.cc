// SPDX-License-Identifier: MIT
#include "server/ollama_model.h"

#include <cctype>
#include <cstdint>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/sha256.h"
#include "checkpoint/model_size.h"
#include "server/request_field.h"

namespace vl2 {
namespace {

constexpr const char* kFamily = "deepseek_vl2";

HttpResponse json_response(const Json& json) {
  HttpResponse response;
  response.body = dump(json);
  return response;
}

std::string upper(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

// "3.4B", "9.5M".
std::string rounded_count(std::uint64_t count) {
  constexpr double kBillion = 1e9;
  constexpr double kMillion = 1e6;
  const auto number = static_cast<double>(count);
  return number >= kBillion ? fmt::format("{:.1f}B", number / kBillion)
                            : fmt::format("{:.1f}M", number / kMillion);
}

Json details_json(const LoadedModel& model) {
  return {{"parent_model", ""},
          {"format", "safetensors"},
          {"family", kFamily},
          {"families", {kFamily}},
          {"parameter_size", rounded_count(model_size(model.config()).total())},
          {"quantization_level", upper(to_string(model.model.recipe()))}};
}

// A model here is a name, a format and its weights: clients only compare digests.
std::string digest(const LoadedModel& model) {
  const std::string text = fmt::format("{} {} {}", model.name, to_string(model.model.recipe()),
                                       model.model.weight_bytes());
  return sha256_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

Json model_json(const ServerContext& server) {
  const LoadedModel& model = server.model();
  const std::string name = server.model_name() + ":latest";
  return {{"name", name},
          {"model", name},
          {"modified_at", rfc3339(server.started)},
          {"size", model.model.weight_bytes()},
          {"digest", digest(model)},
          {"details", details_json(model)}};
}

std::string info_name(std::string_view name) { return fmt::format("{}.{}", kFamily, name); }

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  const auto since =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(since / kMicroseconds),
                     since % kMicroseconds);
}

std::string rfc3339_now() { return rfc3339(std::chrono::system_clock::now()); }

HttpResponse ollama_tags(ServerContext& server) {
  return json_response({{"models", Json::array({model_json(server)})}});
}

HttpResponse ollama_running(ServerContext& server) {
  Json json = model_json(server);
  json["expires_at"] = "9999-12-31T23:59:59Z";
  json["size_vram"] = 0;
  json["context_length"] = server.model().model.context();
  return json_response({{"models", Json::array({std::move(json)})}});
}

HttpResponse ollama_show(ServerContext& server, HttpRequest& request) {
  RequestJson body = parse_request_json(request.body);
  const RequestField root(body);
  const std::string name = root.string_or("model", root.string_or("name", ""));
  server.check_model(name);
  const LoadedModel& model = server.model();
  const LanguageConfig& language = model.config().language;
  const GenerationOptions& defaults = server.options.defaults;
  return json_response(
      {{"modelfile", fmt::format("FROM {}\n", server.model_name())},
       {"parameters", fmt::format("temperature {}\ntop_k {}\ntop_p {}", defaults.temperature,
                                  defaults.top_k, defaults.top_p)},
       {"template", "{{ .System }}\n\n<|User|>: {{ .Prompt }}\n\n<|Assistant|>: "},
       {"details", details_json(model)},
       {"model_info",
        {{"general.architecture", kFamily},
         {"general.basename", model.name},
         {"general.parameter_count", model_size(model.config()).total()},
         {info_name("context_length"), model.model.context()},
         {info_name("embedding_length"), language.hidden_size},
         {info_name("block_count"), language.num_hidden_layers},
         {info_name("attention.head_count"), language.num_attention_heads},
         {info_name("vocab_size"), language.vocab_size}}},
       {"capabilities", {"completion", "vision"}},
       {"modified_at", rfc3339(server.started)}});
}

HttpResponse ollama_version(ServerContext&) { return json_response({{"version", VL2_VERSION}}); }

}  // namespace vl2
