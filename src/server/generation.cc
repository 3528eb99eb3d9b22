// SPDX-License-Identifier: MIT
#include "server/generation.h"

#include <utility>

#include <fmt/format.h>

#include "server/api_error.h"

namespace vl2 {

ApiError queue_is_full() {
  constexpr int kRetrySeconds = 2;
  return ApiError("The server has too many requests waiting; try again later.",
                  {.status = 429,
                   .type = "rate_limit_error",
                   .code = "queue_full",
                   .retry_after_seconds = kRetrySeconds});
}

Generation::Generation(EngineThread& engine, std::vector<Request> requests,
                       const ClientConnection& client, const Patience& patience)
    : engine_(engine),
      client_(client),
      patience_(patience),
      deadline_(Clock::now() + std::chrono::seconds(patience.most_seconds)) {
  auto tickets = engine_.submit(std::move(requests), events_);
  if (!tickets) throw queue_is_full();
  tickets_ = *std::move(tickets);
}

Generation::~Generation() {
  if (over()) return;
  for (const Ticket ticket : tickets_) engine_.cancel(ticket);
}

Generation::Next Generation::next() {
  if (Clock::now() >= deadline_) {
    throw ApiError(fmt::format("The answer took longer than {} seconds.", patience_.most_seconds),
                   {.status = 504, .type = "server_error", .code = "timeout"});
  }
  if (auto event = events_->pop()) return take(*std::move(event));
  switch (client_.wait(*events_, patience_.pause_ms)) {
    case ClientConnection::Wake::gone:
      return {Wake::gone, {}};
    case ClientConnection::Wake::event:
      if (auto event = events_->pop()) return take(*std::move(event));
      break;
    case ClientConnection::Wake::timeout:
      break;
  }
  return {};
}

Generation::Next Generation::take(AnswerEvent event) {
  if (const auto* failed = std::get_if<RequestFailed>(&event.what)) {
    ++ended_;
    throw api_error_of(failed->error);
  }
  if (const auto* finished = std::get_if<RequestFinished>(&event.what)) {
    ++ended_;
    // Nobody here cancels and goes on listening: the queue ran over, or the server stops.
    if (finished->reason == FinishReason::cancelled) {
      throw ApiError("The answer was broken off: the client read too slowly, or the server stops.",
                     {.status = 503, .type = "server_error", .code = "cancelled"});
    }
  }
  return {Wake::event, std::move(event)};
}

}  // namespace vl2
