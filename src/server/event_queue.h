// SPDX-License-Identifier: MIT
// What the engine tells one HTTP request, from its thread to the one that answers the client.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

#include "engine/request.h"

namespace vl2 {

struct AnswerEvent {
  std::size_t choice = 0;  // which of the answers of a request with n > 1
  decltype(Event::what) what;
};

// Bounded: a client that reads more slowly than the model writes does not make the server grow.
// Any number of writers, one reader.
class EventQueue {
 public:
  explicit EventQueue(std::size_t most_events = 1024);
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // False when it is full and the event is lost. Events that end an answer always fit.
  bool push(AnswerEvent event);

  // The oldest event, if there is one.
  std::optional<AnswerEvent> pop();

  // A file descriptor that is readable while there are events.
  int descriptor() const noexcept { return descriptor_; }

 private:
  std::size_t most_events_;
  int descriptor_;
  std::mutex mutex_;
  std::deque<AnswerEvent> events_;
};

}  // namespace vl2
