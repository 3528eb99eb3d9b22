// SPDX-License-Identifier: MIT
#include "server/prompt_builder.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/generation_options.h"
#include "server/api_error.h"
#include "server/generation.h"
#include "text/chat_template.h"

namespace vl2 {
namespace {

// One of the few that may hold pictures.
class Turnstile {
 public:
  explicit Turnstile(std::counting_semaphore<>& semaphore) : semaphore_(semaphore) {
    semaphore_.acquire();
  }
  ~Turnstile() { semaphore_.release(); }
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;

 private:
  std::counting_semaphore<>& semaphore_;
};

using ReadPicture = Image (PictureReader::*)(const PictureSource&);

std::vector<Message> with_pictures(const ServerContext& server, std::vector<ChatMessage> from,
                                   ReadPicture read) {
  PictureReader reader(server.options.pictures);
  std::vector<Message> messages;
  for (ChatMessage& message : from) {
    Message to{message.role, std::move(message.text), {}};
    for (PictureSource& picture : message.pictures) {
      to.images.push_back((reader.*read)(picture));
      picture = {};  // the text of a large picture is not needed any more
    }
    messages.push_back(std::move(to));
  }
  return messages;
}

void drop_pixels(std::vector<Message>& messages) {
  for (Message& message : messages)
    for (Image& image : message.images) image.rgb = {};
}

PromptLimits limits_of(const GenerationFields& fields) {
  return {static_cast<std::size_t>(fields.max_tiles.value_or(0))};
}

// What `with_model` makes of the messages while their pixels are there.
template <class F>
auto while_decoded(ServerContext& server, std::vector<ChatMessage> from,
                   std::vector<Message>& messages, ReadPicture read, F&& f) {
  const bool remote = std::ranges::any_of(from, [](const ChatMessage& message) {
    return std::ranges::any_of(message.pictures, is_remote);
  });
  std::optional<Turnstile> fetching;
  if (remote) {
    fetching.emplace(server.fetching);
    fetch_remote(from, server.options.pictures);
  }
  const Turnstile turnstile(server.preparing);
  messages = with_pictures(server, std::move(from), read);
  try {
    auto result = f(std::as_const(messages));
    drop_pixels(messages);
    return result;
  } catch (const Error& error) {
    throw api_error_of(error, "messages");
  }
}

}  // namespace

PreparedPrompt prepare_conversation(ServerContext& server, std::vector<ChatMessage> messages,
                                    const GenerationFields& fields) {
  const LoadedModel& model = server.model();
  // Before any picture is looked at.
  if (!server.engine.has_room(fields.choices)) throw queue_is_full();
  PreparedPrompt prompt;
  const auto prepare = [&](const auto& all) {
    return prepare_prompt(model, all, PictureTags::place_missing, limits_of(fields));
  };
  prompt.input =
      while_decoded(server, std::move(messages), prompt.messages, &PictureReader::read, prepare);
  return prompt;
}

PromptInput prepare_raw(const ServerContext& server, const RawPrompt& prompt,
                        const std::string& param) {
  const LoadedModel& model = server.model();
  PromptInput input;
  try {
    if (const auto* text = std::get_if<std::string>(&prompt))
      input.ids = build_raw_prompt(*model.tokenizer, *text, {}).ids;
    else
      input.ids = std::get<std::vector<std::int32_t>>(prompt);
    check_length(cost_of(input, model.model.context()));
  } catch (const Error& error) {
    throw api_error_of(error, param);
  }
  const std::int32_t vocabulary = model.config().language.vocab_size;
  if (std::ranges::any_of(input.ids, [&](std::int32_t id) { return id >= vocabulary; }))
    throw bad_request(fmt::format("A token is not among the model's {}.", vocabulary), param);
  return input;
}

ConversationCost conversation_cost(ServerContext& server, std::vector<ChatMessage> messages,
                                   const GenerationFields& fields) {
  const LoadedModel& model = server.model();
  ConversationCost cost;
  const auto count = [&](const auto& all) {
    return prompt_cost(model, all, PictureTags::place_missing, limits_of(fields));
  };
  cost.cost =
      while_decoded(server, std::move(messages), cost.messages, &PictureReader::read_size, count);
  cost.tiling = tiling_options(model.config(), cost.cost.image_tokens.size(), limits_of(fields));
  return cost;
}

std::vector<Request> make_requests(ServerContext& server, const PromptInput& prompt,
                                   const GenerationFields& fields, const ResponseFormat& format) {
  try {
    check_options(fields.options);
  } catch (const Error& error) {
    throw api_error_of(error);
  }
  const int vocabulary = server.model().config().language.vocab_size;
  for (const auto& [token, bias] : fields.logit_bias)
    if (token >= vocabulary)
      throw bad_request("logit_bias has a token that the model does not know", "logit_bias");

  std::shared_ptr<GrammarMasks> masks;
  if (format.type != ResponseFormat::Type::text) masks = server.constraints().grammar(format);

  const std::uint64_t seed = fields.seed ? *fields.seed : server.draw_seed();
  std::vector<Request> requests;
  for (std::size_t i = 0; i < fields.choices; ++i) {
    Request request{prompt, fields.options, {}};
    request.options.seed = seed + i;
    request.steering.logit_bias = fields.logit_bias;
    request.steering.presence_penalty = fields.presence_penalty;
    request.steering.frequency_penalty = fields.frequency_penalty;
    // Boxes are told with their probabilities.
    request.steering.report_chosen = fields.report_logprobs || !prompt.pictures.empty();
    if (masks)
      request.steering.constraint = std::make_shared<GrammarConstraint>(masks);
    else if (fields.constrain_boxes)
      request.steering.constraint = server.constraints().boxes(prompt.ids);
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace vl2
