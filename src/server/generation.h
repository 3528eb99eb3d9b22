// SPDX-License-Identifier: MIT
// The answers to one HTTP request while the engine writes them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "server/api_error.h"
#include "server/engine_thread.h"
#include "server/event_queue.h"
#include "server/http_message.h"

namespace vl2 {

// Used by the thread that answers the client. What is not finished is cancelled when it is
// destroyed.
class Generation {
 public:
  struct Patience {
    int pause_ms = 5000;     // next() returns at least so often
    int most_seconds = 600;  // for all of it
  };

  // Throws ApiError 429 when the queue is full. `client` is borrowed.
  Generation(EngineThread& engine, std::vector<Request> requests, const ClientConnection& client,
             const Patience& patience);
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // All answers have ended.
  bool over() const noexcept { return ended_ == tickets_.size(); }

  enum class Wake { event, pause, gone };
  struct Next {
    Wake wake = Wake::pause;
    std::optional<AnswerEvent> event;
  };
  // Waits for what the engine tells next. Throws ApiError 504 when the time is up, and what an
  // answer failed with.
  Next next();

 private:
  Next take(AnswerEvent event);

  using Clock = std::chrono::steady_clock;
  EngineThread& engine_;
  const ClientConnection& client_;
  Patience patience_;
  Clock::time_point deadline_;
  std::shared_ptr<EventQueue> events_ = std::make_shared<EventQueue>();
  std::vector<Ticket> tickets_;
  std::size_t ended_ = 0;
};

// 429, telling when to try again.
ApiError queue_is_full();

}  // namespace vl2
