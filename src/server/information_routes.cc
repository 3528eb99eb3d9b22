// SPDX-License-Identifier: MIT
#include "server/information_routes.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "server/request_field.h"

namespace vl2 {
namespace {

Json model_json(const ServerContext& server) {
  const LoadedModel& model = server.model();
  return {
      {"id", server.model_name()},
      {"object", "model"},
      {"created",
       std::chrono::duration_cast<std::chrono::seconds>(server.started.time_since_epoch()).count()},
      {"owned_by", "vl2.cpp"},
      {"max_model_len", model.model.context()},
      {"context_length", model.model.context()},
      {"modalities", {{"input", {"text", "image"}}, {"output", {"text"}}}},
      {"weights_format", to_string(model.model.recipe())},
      {"vision_format", model.model.integer_vision() ? "int8" : "bf16"},
      {"weights_bytes", model.model.weight_bytes()},
      {"instruction_set", to_string(chosen_isa())}};
}

HttpResponse json_response(const Json& json, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = dump(json);
  return response;
}

}  // namespace

HttpResponse show_health(ServerContext& server, bool draining) {
  const EngineThread::State state = server.engine.state();
  if (state == EngineThread::State::ready && !draining) return json_response({{"status", "ok"}});
  const char* status = state == EngineThread::State::loading ? "loading" : "draining";
  return json_response({{"status", status}}, 503);
}

HttpResponse show_version(ServerContext&) {
  return json_response({{"name", "vl2.cpp"}, {"version", VL2_VERSION}});
}

HttpResponse show_metrics(ServerContext& server) {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4";
  response.body = server.metrics.text(server.engine.status());
  return response;
}

HttpResponse list_models(ServerContext& server) {
  return json_response({{"object", "list"}, {"data", Json::array({model_json(server)})}});
}

HttpResponse show_model(ServerContext& server, const std::string& name) {
  server.check_model(name);
  return json_response(model_json(server));
}

HttpResponse tokenize(ServerContext& server, HttpRequest& request) {
  RequestJson json = parse_request_json(request.body);
  const RequestField body(json);
  const Tokenizer& tokenizer = *server.model().tokenizer;
  // "prompt" is vLLM's name for it, "content" llama.cpp's.
  const auto content = body.find("content");
  const RequestField text = content ? *content : body.at("prompt");
  std::vector<std::int32_t> ids = tokenizer.encode(text.string());
  if (body.boolean_or("add_special_tokens", false)) ids.insert(ids.begin(), tokenizer.bos_id());
  Json reply = {
      {"tokens", ids}, {"count", ids.size()}, {"max_model_len", server.model().model.context()}};
  if (body.boolean_or("with_pieces", false)) {
    reply["pieces"] = Json::array();
    for (const std::int32_t& id : ids)
      reply["pieces"].push_back(tokenizer.decode(std::span(&id, 1)));
  }
  return json_response(reply);
}

HttpResponse detokenize(ServerContext& server, HttpRequest& request) {
  RequestJson json = parse_request_json(request.body);
  const RequestField body(json);
  const LoadedModel& model = server.model();
  std::vector<std::int32_t> ids;
  for (const RequestField& id : body.at("tokens").elements()) {
    ids.push_back(static_cast<std::int32_t>(id.integer(0, model.config().language.vocab_size - 1)));
  }
  const std::string text = model.tokenizer->decode(ids);
  return json_response({{"content", text}, {"prompt", text}});
}

}  // namespace vl2
