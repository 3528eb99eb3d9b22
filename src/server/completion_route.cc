// SPDX-License-Identifier: MIT
#include "server/completion_route.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "server/answer_run.h"
#include "server/chat_response.h"
#include "server/completion_request.h"
#include "server/prompt_builder.h"

namespace vl2 {
namespace {

// Texts that the engine goes on with.
struct Completion {
  ServerContext& server;
  ResponseHead head;
  GenerationFields fields;
  AnswerRun run;
  std::vector<std::size_t> characters;  // [choice] of the text so far

  // The choices of a prompt stand together, and its tokens count once.
  Usage usage() const {
    Usage sum;
    for (std::size_t i = 0; i < run.answers().size(); i += fields.choices) {
      const Usage one = total_usage(run.answers().subspan(i, fields.choices));
      sum.prompt_tokens += one.prompt_tokens;
      sum.cached_tokens += one.cached_tokens;
      sum.completion_tokens += one.completion_tokens;
    }
    return sum;
  }
};

std::vector<Request> requests_of(ServerContext& server, const CompletionRequest& asked) {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < asked.prompts.size(); ++i) {
    const PromptInput prompt = prepare_raw(server, asked.prompts[i], fmt::format("prompt[{}]", i));
    for (Request& request : make_requests(server, prompt, asked.generation, {}))
      requests.push_back(std::move(request));
  }
  return requests;
}

Json choice_json(std::size_t index, const std::string& text, Json logprobs,
                 const std::optional<FinishReason>& reason) {
  return {{"index", index},
          {"text", text},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", reason ? Json(to_string(*reason)) : Json(nullptr)}};
}

Json completion_json(const Completion& completion) {
  Json json = head_json(completion.head);
  json["choices"] = Json::array();
  for (std::size_t i = 0; i < completion.run.answers().size(); ++i) {
    const GrowingAnswer& answer = completion.run.answers()[i];
    Json logprobs;
    if (completion.fields.report_logprobs) logprobs = completion_logprobs_json(answer.reports(), 0);
    json["choices"].push_back(
        choice_json(i, answer.text(), std::move(logprobs), answer.finish_reason()));
  }
  json["usage"] = usage_json(completion.usage());
  json["timings"] = timings_json(completion.usage(), completion.run.timings());
  return json;
}

bool write_addition(Completion& completion, ResponseStream& out, std::size_t choice,
                    const GrowingAnswer::Addition& addition) {
  const GrowingAnswer& answer = completion.run.answers()[choice];
  const bool reported = completion.fields.report_logprobs && addition.report;
  if (addition.text.empty() && !reported && !answer.finished()) return true;
  Json logprobs;
  if (reported)
    logprobs = completion_logprobs_json({&*addition.report, 1}, completion.characters[choice]);
  completion.characters[choice] += count_characters(addition.text);
  Json json = head_json(completion.head);
  json["choices"] = Json::array(
      {choice_json(choice, addition.text, std::move(logprobs),
                   answer.finished() ? std::optional(answer.finish_reason()) : std::nullopt)});
  if (completion.fields.include_usage) json["usage"] = nullptr;
  return out.write(event(json));
}

bool write_end(const Completion& completion, ResponseStream& out) {
  std::optional<Usage> usage;
  if (completion.fields.include_usage) usage = completion.usage();
  return out.write(last_events(completion.head, usage));
}

StreamEnd stream_completion(Completion& completion, ResponseStream& out) {
  const auto add = [&](std::size_t choice, const auto& addition) {
    return write_addition(completion, out, choice, addition);
  };
  const auto ping = [&] { return out.write(": ping\n\n"); };
  return answer_in_parts(
      completion.run,
      [&] { return completion.run.follow(add, ping) && write_end(completion, out); },
      [&](const ApiError& error) { return out.write(event(error.json())); });
}

}  // namespace

HttpResponse complete(ServerContext& server, HttpRequest& request) {
  server.model();
  CompletionRequest asked = parse_completion_request(request.body, server.options.defaults);
  request.body = {};
  server.check_model(asked.model);
  std::vector<Request> requests = requests_of(server, asked);
  request.room.give_back();
  const std::size_t choices = requests.size();
  const bool stream = asked.generation.stream;
  const auto completion =
      std::shared_ptr<Completion>(new Completion{server,
                                                 server.head("cmpl", "text_completion"),
                                                 std::move(asked.generation),
                                                 {server, *request.client, std::move(requests)},
                                                 std::vector<std::size_t>(choices)});
  if (!stream) {
    return answer_whole(completion->run, [&] { return dump(completion_json(*completion)); });
  }
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = [completion](ResponseStream& out) {
    return stream_completion(*completion, out);
  };
  return response;
}

}  // namespace vl2
