// SPDX-License-Identifier: MIT
#include "server/answer_run.h"

#include <utility>

#include <fmt/format.h>

namespace vl2 {
namespace {

Generation::Patience patience_of(const ServerOptions& options) {
  constexpr double kMs = 1e3;
  return {static_cast<int>(options.ping_seconds * kMs), options.most_seconds};
}

}  // namespace

AnswerRun::AnswerRun(ServerContext& server, const ClientConnection& client,
                     std::vector<Request> requests)
    : server_(server),
      answers_(requests.size()),
      generation_(server.engine, std::move(requests), client, patience_of(server.options)) {}

bool AnswerRun::follow(const OnAddition& on_addition, const OnPause& on_pause) {
  const Tokenizer& tokenizer = *server_.model().tokenizer;
  while (!generation_.over()) {
    Generation::Next next = generation_.next();
    if (next.wake == Generation::Wake::gone) return false;
    if (next.wake == Generation::Wake::pause) {
      if (!on_pause()) return false;
      continue;
    }
    if (!began_ && std::holds_alternative<TokenChosen>(next.event->what)) {
      began_ = true;
      server_.metrics.count_first_token(stopwatch_.seconds());
    }
    const std::size_t choice = next.event->choice;
    const GrowingAnswer::Addition addition =
        answers_[choice].add(*std::move(next.event), tokenizer);
    if (answers_[choice].finished())
      server_.metrics.count_answer(answers_[choice].usage(), answers_[choice].timings());
    if (!on_addition(choice, addition)) return false;
  }
  return true;
}

std::string AnswerRun::note() const {
  const Usage usage = this->usage();
  const Timings timings = this->timings();
  return fmt::format(
      "prompt_tokens={} image_tokens={} cached_tokens={} completion_tokens={} vision_ms={:.0f} "
      "prefill_ms={:.0f} decode_ms={:.0f}",
      usage.prompt_tokens, usage.image_tokens, usage.cached_tokens, usage.completion_tokens,
      timings.vision * 1e3, timings.prefill * 1e3, timings.decode * 1e3);
}

HttpResponse answer_whole(AnswerRun& run, const std::function<std::string()>& body) {
  HttpResponse response;
  response.client_gone = !run.follow();
  response.note = run.note();
  if (!response.client_gone) response.body = body();
  return response;
}

StreamEnd answer_in_parts(AnswerRun& run, const std::function<bool()>& tell,
                          const std::function<bool(const ApiError&)>& tell_error) {
  try {
    const bool stayed = tell();
    return {run.note(), !stayed};
  } catch (const ApiError& error) {
    const bool stayed = tell_error(error);
    return {run.note() + " error=" + error.details().code, !stayed};
  }
}

}  // namespace vl2
