// SPDX-License-Identifier: MIT
#include "server/chat_route.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/answer_run.h"
#include "server/chat_request.h"
#include "server/chat_response.h"
#include "server/grounded_answer.h"
#include "server/prompt_builder.h"

namespace vl2 {
namespace {

// A chat request that the engine is at.
struct Chat {
  ServerContext& server;
  ResponseHead head;
  GenerationFields fields;
  std::vector<Message> messages;
  AnswerRun run;

  const Tokenizer& tokenizer() const { return *server.model().tokenizer; }
  std::vector<GroundedRegion> regions(const GrowingAnswer& answer) const {
    return grounded_regions(answer.text(), answer.reports(), tokenizer(), messages);
  }
};

Json choice_json(const Chat& chat, std::size_t index) {
  const GrowingAnswer& answer = chat.run.answers()[index];
  Json message = {{"role", "assistant"}, {"content", answer.text()}, {"refusal", nullptr}};
  const std::vector<GroundedRegion> regions = chat.regions(answer);
  if (!regions.empty()) message["grounding"] = grounding_json(regions);
  Json choice = {{"index", index}, {"message", std::move(message)}, {"logprobs", nullptr}};
  if (chat.fields.report_logprobs) {
    choice["logprobs"] = {{"content", logprobs_json(answer.reports(), chat.tokenizer())},
                          {"refusal", nullptr}};
  }
  choice["finish_reason"] = to_string(answer.finish_reason());
  return choice;
}

Json chat_json(const Chat& chat) {
  Json json = head_json(chat.head);
  json["choices"] = Json::array();
  for (std::size_t i = 0; i < chat.run.answers().size(); ++i)
    json["choices"].push_back(choice_json(chat, i));
  json["usage"] = usage_json(chat.run.usage());
  json["timings"] = timings_json(chat.run.usage(), chat.run.timings());
  return json;
}

// Writes the chunks of a stream.
class ChunkWriter {
 public:
  ChunkWriter(Chat& chat, ResponseStream& out) : chat_(chat), out_(out) {}

  bool begin() {
    for (std::size_t i = 0; i < chat_.run.answers().size(); ++i)
      if (!write(chunk(i, {{"role", "assistant"}, {"content", ""}}, {}))) return false;
    return true;
  }

  bool add(std::size_t choice, const GrowingAnswer::Addition& addition) {
    const bool reported = chat_.fields.report_logprobs && addition.report;
    if (!addition.text.empty() || reported) {
      Json json = chunk(choice, {{"content", addition.text}}, {});
      if (reported) {
        json["choices"][0]["logprobs"] = {
            {"content", logprobs_json({&*addition.report, 1}, chat_.tokenizer())},
            {"refusal", nullptr}};
      }
      if (!write(json)) return false;
    }
    const GrowingAnswer& answer = chat_.run.answers()[choice];
    if (!answer.finished()) return true;
    const std::vector<GroundedRegion> regions = chat_.regions(answer);
    Json delta = Json::object();
    if (!regions.empty()) delta["grounding"] = grounding_json(regions);
    Json last = chunk(choice, std::move(delta), answer.finish_reason());
    if (all_finished()) last["timings"] = timings_json(chat_.run.usage(), chat_.run.timings());
    return write(last);
  }

  bool end() {
    std::optional<Usage> usage;
    if (chat_.fields.include_usage) usage = chat_.run.usage();
    return out_.write(last_events(chat_.head, usage));
  }

 private:
  bool all_finished() const {
    return std::ranges::all_of(chat_.run.answers(), &GrowingAnswer::finished);
  }
  Json chunk(std::size_t choice, Json delta, const std::optional<FinishReason>& reason) const {
    Json json = chat_chunk_json(chat_.head, choice, std::move(delta), reason);
    if (chat_.fields.include_usage) json["usage"] = nullptr;
    return json;
  }
  bool write(const Json& json) { return out_.write(event(json)); }

  Chat& chat_;
  ResponseStream& out_;
};

StreamEnd stream_chat(Chat& chat, ResponseStream& out) {
  ChunkWriter writer(chat, out);
  const auto add = [&](std::size_t choice, const auto& addition) {
    return writer.add(choice, addition);
  };
  const auto ping = [&] { return out.write(": ping\n\n"); };
  return answer_in_parts(
      chat.run, [&] { return writer.begin() && chat.run.follow(add, ping) && writer.end(); },
      [&](const ApiError& error) { return out.write(event(error.json())); });
}

// How the local view of a picture is cut; the global view is one tile more.
Json picture_json(const Image& image, std::size_t tokens, const TilingOptions& tiling) {
  const Resolution square{tiling.image_size, tiling.image_size};
  const Resolution view =
      tiling.tiling ? best_resolution({image.width, image.height}, tiling.candidates) : square;
  return {
      {"tokens", tokens},
      {"width", image.width},
      {"height", image.height},
      {"tiles",
       {{"across", view.width / tiling.image_size}, {"down", view.height / tiling.image_size}}}};
}

}  // namespace

HttpResponse answer_chat(ServerContext& server, HttpRequest& request) {
  server.model();
  ChatRequest asked = parse_chat_request(request.body, server.options.defaults);
  request.body = {};
  server.check_model(asked.model);
  PreparedPrompt prompt = prepare_conversation(server, std::move(asked.messages), asked.generation);
  request.room.give_back();
  std::vector<Request> requests =
      make_requests(server, prompt.input, asked.generation, asked.format);
  const bool stream = asked.generation.stream;
  const auto chat = std::shared_ptr<Chat>(
      new Chat{server,
               server.head("chatcmpl", stream ? "chat.completion.chunk" : "chat.completion"),
               std::move(asked.generation),
               std::move(prompt.messages),
               {server, *request.client, std::move(requests)}});
  if (!stream) return answer_whole(chat->run, [&] { return dump(chat_json(*chat)); });
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = [chat](ResponseStream& out) { return stream_chat(*chat, out); };
  return response;
}

HttpResponse count_input_tokens(ServerContext& server, HttpRequest& request) {
  const LoadedModel& model = server.model();
  ChatRequest asked = parse_chat_request(request.body, server.options.defaults);
  request.body = {};
  server.check_model(asked.model);
  const ConversationCost counted =
      conversation_cost(server, std::move(asked.messages), asked.generation);
  const PromptCost& cost = counted.cost;

  Json messages = Json::array();
  std::size_t picture = 0;
  for (const Message& message : counted.messages) {
    const std::size_t tokens = model.tokenizer->encode(message.content).size();
    Json images = Json::array();
    for (std::size_t i = 0; i < message.images.size(); ++i)
      images.push_back(cost.image_tokens[picture++]);
    messages.push_back({{"text_tokens", tokens}, {"image_tokens", std::move(images)}});
  }
  const std::size_t total = cost.total();
  Json pictures = Json::array();
  for (const Message& message : counted.messages)
    for (const Image& image : message.images)
      pictures.push_back(picture_json(image, cost.image_tokens[pictures.size()], counted.tiling));
  HttpResponse response;
  response.body =
      dump({{"object", "response.input_tokens"},
            {"input_tokens", total},
            {"text_tokens", cost.text_tokens},
            {"image_tokens", total - cost.text_tokens},
            {"messages", std::move(messages)},
            {"images", std::move(pictures)},
            {"tile_size", counted.tiling.image_size},
            {"context_length", cost.context_tokens},
            {"tokens_left", cost.context_tokens > total ? cost.context_tokens - total : 0}});
  return response;
}

}  // namespace vl2
