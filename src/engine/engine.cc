// SPDX-License-Identifier: MIT
// vl2::Engine: a runtime with one request at a time.
#include "vl2/engine.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/cpu.h"
#include "engine/boxes.h"
#include "engine/model_files.h"
#include "engine/prompt_input.h"
#include "engine/runtime.h"

namespace vl2 {
namespace {

LoadedModel load(const EngineOptions& options, const ThreadTeam& team) {
  LoadOptions load_options;
  load_options.recipe = recipe_wanted(options.weights);
  load_options.integer_vision = integer_vision_wanted(options.vision);
  load_options.context_tokens = options.context_tokens;
  load_options.team = team;
  if (options.progress) {
    load_options.progress = [&](std::size_t done, std::size_t total) {
      return options.progress({Stage::loading, done, total});
    };
  }
  return load_model(options.model, load_options);
}

ThreadTeam team_of(int threads) {
  if (threads < 0 || threads > 4096) {
    throw Error(ErrorCode::invalid_argument,
                "threads is " + std::to_string(threads) + ", it must be from 0 (all) to 4096");
  }
  return ThreadTeam(threads);
}

RuntimeOptions runtime_options(const EngineOptions& options, const ThreadTeam& team) {
  RuntimeOptions runtime;
  runtime.isa = chosen_isa();
  runtime.team = team;
  runtime.cache_tokens = options.cache_tokens;
  runtime.limits.chunk_tokens = options.chunk_tokens;
  return runtime;
}

// Puts the events of one request together and passes them on, until a callback says stop.
class AnswerBuilder {
 public:
  AnswerBuilder(const ChatCallbacks& callbacks, Answer& answer)
      : callbacks_(callbacks), answer_(answer) {}

  void handle(const PictureProgress& progress) {
    tell({Stage::pictures, progress.done, progress.total});
  }
  void handle(const PromptProgress& progress) {
    tell({Stage::prompt, progress.done, progress.total});
  }
  void handle(TokenChosen& chosen) {
    answer_.token_ids.push_back(chosen.token);
    if (chosen.report) answer_.logprobs.push_back(*std::move(chosen.report));
    tell(chosen.text);
  }
  void handle(const RequestFinished& finished) {
    answer_.finish_reason = finished.reason;
    answer_.usage = finished.usage;
    answer_.timings = finished.timings;
    tell(finished.text);
  }
  void handle(const RequestFailed& failed) { throw failed.error; }

  bool stopped() const noexcept { return stopped_; }

 private:
  void tell(const Progress& progress) {
    if (!stopped_ && callbacks_.progress) stopped_ = !callbacks_.progress(progress);
  }
  void tell(const std::string& text) {
    answer_.text += text;
    if (!stopped_ && callbacks_.text && !text.empty()) stopped_ = !callbacks_.text(text);
  }

  const ChatCallbacks& callbacks_;
  Answer& answer_;
  bool stopped_ = false;
};

// Whatever a callback throws, the request does not stay behind in the runtime.
struct EndOfRequest {
  Runtime& runtime;
  RequestId request;

  ~EndOfRequest() {
    runtime.cancel(request);
    while (!runtime.idle()) runtime.step();
  }
};

}  // namespace

std::string_view to_string(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "cancelled";
  }
  return "";
}

struct Engine::Implementation {
  explicit Implementation(const EngineOptions& options)
      : Implementation(options, team_of(options.threads)) {}

  Implementation(const EngineOptions& options, const ThreadTeam& team)
      : loaded(load(options, team)),
        runtime(loaded.model, loaded.tokenizer, runtime_options(options, team)),
        info{loaded.name,
             std::string(to_string(loaded.model.recipe())),
             std::string(to_string(chosen_isa())),
             team.size(),
             loaded.model.context(),
             loaded.model.weight_bytes(),
             runtime.cache_bytes(),
             loaded.load_seconds} {}

  // Steps until the runtime has nothing to do.
  void run(RequestId request, AnswerBuilder& builder) {
    const EndOfRequest end{runtime, request};
    while (!runtime.idle()) {
      for (Event& event : runtime.step())
        std::visit([&](auto& what) { builder.handle(what); }, event.what);
      if (builder.stopped()) runtime.cancel(request);
    }
  }

  LoadedModel loaded;
  Runtime runtime;
  ModelInfo info;
};

Engine::Engine(const EngineOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

Answer Engine::chat(std::span<const Message> messages, const GenerationOptions& options,
                    const ChatCallbacks& callbacks, PictureTags tags) {
  Implementation& self = *implementation_;
  Request request;
  request.options = options;
  request.prompt = prepare_prompt(self.loaded, messages, tags);

  Answer answer;
  answer.prompt_token_ids = request.prompt.ids;
  const RequestId id = self.runtime.add(std::move(request));
  AnswerBuilder builder(callbacks, answer);
  self.run(id, builder);
  answer.boxes = find_boxes(answer.text, messages);
  return answer;
}

PromptCost Engine::cost(std::span<const Message> messages, PictureTags tags) const {
  return prompt_cost(implementation_->loaded, messages, tags);
}

const ModelInfo& Engine::info() const noexcept { return implementation_->info; }

}  // namespace vl2
