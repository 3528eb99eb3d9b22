// SPDX-License-Identifier: MIT
#include "server/event_queue.h"

#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

bool ends(const AnswerEvent& event) {
  return std::holds_alternative<RequestFinished>(event.what) ||
         std::holds_alternative<RequestFailed>(event.what);
}

}  // namespace

EventQueue::EventQueue(std::size_t most_events)
    : most_events_(most_events), descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0)
    throw Error(ErrorCode::out_of_memory, "no file descriptor is left for another request");
}

EventQueue::~EventQueue() { close(descriptor_); }

bool EventQueue::push(AnswerEvent event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() >= most_events_ && !ends(event)) return false;
  events_.push_back(std::move(event));
  // An eventfd takes 2^64 - 2 such writes before one could fail.
  if (events_.size() == 1) static_cast<void>(eventfd_write(descriptor_, 1));
  return true;
}

std::optional<AnswerEvent> EventQueue::pop() {
  const std::lock_guard lock(mutex_);
  if (events_.empty()) return {};
  AnswerEvent event = std::move(events_.front());
  events_.pop_front();
  eventfd_t ignored = 0;
  if (events_.empty()) static_cast<void>(eventfd_read(descriptor_, &ignored));
  return event;
}

}  // namespace vl2
