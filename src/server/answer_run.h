// SPDX-License-Identifier: MIT
// Follows the answers to one request to their end, for whichever protocol tells them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "server/answer.h"
#include "server/api_error.h"
#include "server/generation.h"
#include "server/http_message.h"
#include "server/prompt_builder.h"
#include "server/server_context.h"

namespace vl2 {

class AnswerRun {
 public:
  // Throws ApiError 429 when the queue is full. Both are borrowed.
  AnswerRun(ServerContext& server, const ClientConnection& client, std::vector<Request> requests);

  // Told what each event added to which answer; false when the client has gone.
  using OnAddition = std::function<bool(std::size_t choice, const GrowingAnswer::Addition&)>;
  // Told when nothing has happened for a while; false when the client has gone.
  using OnPause = std::function<bool()>;
  // False when the client has gone. Throws ApiError.
  bool follow(const OnAddition& on_addition, const OnPause& on_pause);
  bool follow() {
    return follow([](std::size_t, const GrowingAnswer::Addition&) { return true; },
                  [] { return true; });
  }

  std::span<const GrowingAnswer> answers() const noexcept { return answers_; }
  Usage usage() const { return total_usage(answers_); }
  Timings timings() const { return total_timings(answers_); }
  // For the log.
  std::string note() const;

 private:
  ServerContext& server_;
  Stopwatch stopwatch_;
  std::vector<GrowingAnswer> answers_;
  Generation generation_;
  bool began_ = false;
};

// Waits for the whole answer; `body` is asked for then, unless the client has gone. Throws
// ApiError.
HttpResponse answer_whole(AnswerRun& run, const std::function<std::string()>& body);

// `tell` follows the run and writes what it brings, `tell_error` writes what went wrong on the way:
// the headers are sent, so that an error can only be a part of the stream. Both are false when the
// client has gone.
StreamEnd answer_in_parts(AnswerRun& run, const std::function<bool()>& tell,
                          const std::function<bool(const ApiError&)>& tell_error);

}  // namespace vl2
