// SPDX-License-Identifier: MIT
#include "server/ollama_route.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "base/stopwatch.h"
#include "server/answer_run.h"
#include "server/chat_response.h"
#include "server/grounded_answer.h"
#include "server/ollama_model.h"
#include "server/ollama_request.h"
#include "server/prompt_builder.h"

namespace vl2 {
namespace {

// /api/chat tells a message, /api/generate a text.
enum class Form { message, text };

std::int64_t nanoseconds(double seconds) {
  constexpr double kNanoseconds = 1e9;
  return static_cast<std::int64_t>(seconds * kNanoseconds);
}

// One line of a stream, or a whole answer.
Json line_json(const std::string& model, Form form, const std::string& text) {
  Json json = {{"model", model}, {"created_at", rfc3339_now()}};
  if (form == Form::message)
    json["message"] = {{"role", "assistant"}, {"content", text}};
  else
    json["response"] = text;
  json["done"] = false;
  return json;
}

// An answer that the engine is at.
struct OllamaAnswer {
  ServerContext& server;
  std::string model;  // as the client calls it
  Form form;
  std::vector<Message> messages;
  Stopwatch stopwatch;
  AnswerRun run;

  Json line(const std::string& text) const { return line_json(model, form, text); }

  // The last line, with everything that is known at the end.
  Json last_line(const std::string& text) const {
    const GrowingAnswer& answer = run.answers().front();
    Json json = line(text);
    const std::vector<GroundedRegion> regions =
        grounded_regions(answer.text(), answer.reports(), *server.model().tokenizer, messages);
    if (!regions.empty()) json["grounding"] = grounding_json(regions);
    json["done"] = true;
    json["done_reason"] = to_string(answer.finish_reason());
    json["total_duration"] = nanoseconds(stopwatch.seconds());
    json["load_duration"] = 0;
    json["prompt_eval_count"] = answer.usage().prompt_tokens;
    json["prompt_eval_duration"] = nanoseconds(answer.timings().vision + answer.timings().prefill);
    json["eval_count"] = answer.usage().completion_tokens;
    json["eval_duration"] = nanoseconds(answer.timings().decode);
    return json;
  }
};

StreamEnd stream_lines(OllamaAnswer& answer, ResponseStream& out) {
  const auto write = [&](const Json& json) { return out.write(dump(json) + "\n"); };
  const auto add = [&](std::size_t, const GrowingAnswer::Addition& addition) {
    return addition.text.empty() || write(answer.line(addition.text));
  };
  // Clients take every line for JSON; an empty text changes nothing.
  const auto ping = [&] { return write(answer.line({})); };
  return answer_in_parts(
      answer.run, [&] { return answer.run.follow(add, ping) && write(answer.last_line({})); },
      [&](const ApiError& error) { return write(error.ollama_json()); });
}

// The answer to a client that only wants the model to be loaded.
HttpResponse model_is_there(const std::string& model, Form form) {
  Json json = line_json(model, form, {});
  json["done"] = true;
  json["done_reason"] = "load";
  HttpResponse response;
  response.body = dump(json);
  return response;
}

HttpResponse respond(ServerContext& server, HttpRequest& request, Form form,
                     OllamaRequest (*parse)(std::string_view, const GenerationOptions&)) {
  server.model();
  const Stopwatch stopwatch;
  OllamaRequest asked = parse(request.body, server.options.defaults);
  request.body = {};
  server.check_model(asked.model);
  const std::string model = asked.model.empty() ? server.model_name() : asked.model;
  if (asked.messages.empty() && !asked.raw_prompt) return model_is_there(model, form);

  PreparedPrompt prompt =
      asked.raw_prompt ? PreparedPrompt{prepare_raw(server, *asked.raw_prompt, "prompt"), {}}
                       : prepare_conversation(server, std::move(asked.messages), asked.generation);
  request.room.give_back();
  std::vector<Request> requests =
      make_requests(server, prompt.input, asked.generation, asked.format);
  const auto answer = std::shared_ptr<OllamaAnswer>(
      new OllamaAnswer{server,
                       model,
                       form,
                       std::move(prompt.messages),
                       stopwatch,
                       {server, *request.client, std::move(requests)}});
  if (!asked.generation.stream) {
    return answer_whole(
        answer->run, [&] { return dump(answer->last_line(answer->run.answers().front().text())); });
  }
  HttpResponse response;
  response.content_type = "application/x-ndjson";
  response.stream = [answer](ResponseStream& out) { return stream_lines(*answer, out); };
  return response;
}

}  // namespace

HttpResponse ollama_chat(ServerContext& server, HttpRequest& request) {
  return respond(server, request, Form::message, parse_ollama_chat);
}

HttpResponse ollama_generate(ServerContext& server, HttpRequest& request) {
  return respond(server, request, Form::text, parse_ollama_generate);
}

}  // namespace vl2
