// SPDX-License-Identifier: MIT
#include "server/engine_thread.h"

#include <algorithm>
#include <new>
#include <utility>

#include "vl2/error.h"

#include "base/stopwatch.h"

namespace vl2 {

EngineThread::EngineThread(EngineThreadOptions options)
    : options_(std::move(options)), thread_([this] { run(); }) {}

EngineThread::~EngineThread() {
  stop();
  thread_.join();
}

EngineThread::State EngineThread::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

EngineThread::State EngineThread::wait_until_loaded() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return state_ != State::loading; });
  return state_;
}

std::optional<Error> EngineThread::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

const LoadedModel* EngineThread::model() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::ready ? &*model_ : nullptr;
}

std::size_t EngineThread::cache_bytes() const {
  const std::lock_guard lock(mutex_);
  return cache_bytes_;
}

bool EngineThread::has_room(std::size_t answers) const {
  const std::lock_guard lock(mutex_);
  return answering_.size() + answers <= most_answers_;
}

std::optional<std::vector<Ticket>> EngineThread::submit(std::vector<Request> requests,
                                                        const std::shared_ptr<EventQueue>& events,
                                                        std::size_t first_choice) {
  const std::lock_guard lock(mutex_);
  const bool open = state_ == State::ready && !refusing_ && !stopping_;
  if (!open || answering_.size() + requests.size() > most_answers_) return {};
  std::vector<Ticket> tickets;
  for (Request& request : requests) {
    const Ticket ticket = next_ticket_++;
    answering_.emplace(ticket, Answering{events, first_choice + tickets.size()});
    submitted_.push_back({ticket, std::move(request)});
    tickets.push_back(ticket);
  }
  changed_.notify_all();
  return tickets;
}

void EngineThread::cancel(Ticket ticket) {
  const std::lock_guard lock(mutex_);
  if (!answering_.contains(ticket)) return;
  cancelled_.push_back(ticket);
  changed_.notify_all();
}

EngineStatus EngineThread::status() const {
  const std::lock_guard lock(mutex_);
  EngineStatus status = status_;
  status.waiting = answering_.size() - std::min(answering_.size(), status.running);
  return status;
}

void EngineThread::refuse_more() {
  const std::lock_guard lock(mutex_);
  refusing_ = true;
}

void EngineThread::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void EngineThread::run() {
  try {
    LoadedModel loaded = options_.load();
    {
      const std::lock_guard lock(mutex_);
      model_.emplace(std::move(loaded));
    }
    const RuntimeOptions runtime_options = options_.runtime(model_->model);
    Runtime runtime(model_->model, model_->tokenizer, runtime_options);
    {
      const std::lock_guard lock(mutex_);
      most_answers_ = runtime_options.max_sequences + options_.most_waiting;
      cache_bytes_ = runtime.cache_bytes();
      status_.pages = status_.free_pages = runtime.page_count();
      state_ = State::ready;
      changed_.notify_all();
    }
    serve(runtime);
  } catch (const Error& error) {
    end(State::failed, error);
  } catch (const std::bad_alloc&) {
    end(State::failed, Error(ErrorCode::out_of_memory, "there is not enough memory"));
  }
}

void EngineThread::end(State state, const Error& why) {
  const std::lock_guard lock(mutex_);
  state_ = state;
  if (state == State::failed) failure_ = why;
  for (auto& [ticket, answering] : answering_)
    answering.events->push({answering.choice, RequestFailed{why}});
  answering_.clear();
  status_.running = 0;
  changed_.notify_all();
}

void EngineThread::serve(Runtime& runtime) {
  while (take_orders(runtime)) {
    const Stopwatch stopwatch;
    std::vector<Event> events = runtime.step();
    if (options_.step_observer) options_.step_observer(stopwatch.seconds());
    for (Event& event : events) deliver(runtime, std::move(event));
  }
  // What is still there ends with one more step, so that nobody waits forever.
  for (const auto& [request, ticket] : tickets_) runtime.cancel(request);
  for (Event& event : runtime.step()) deliver(runtime, std::move(event));
  end(State::stopped, Error(ErrorCode::cancelled, "the server is shutting down"));
}

bool EngineThread::take_orders(Runtime& runtime) {
  std::vector<Submitted> submitted;
  std::vector<Ticket> cancelled;
  {
    std::unique_lock lock(mutex_);
    status_ = {runtime.running_count(), 0, runtime.page_count(), runtime.available_pages(),
               runtime.tile_counts()};
    changed_.wait(lock, [&] {
      return stopping_ || !submitted_.empty() || !cancelled_.empty() || !runtime.idle();
    });
    if (stopping_) return false;
    submitted.swap(submitted_);
    cancelled.swap(cancelled_);
  }
  for (Submitted& one : submitted) add(runtime, std::move(one));
  for (const Ticket ticket : cancelled) {
    const auto request = requests_.find(ticket);
    if (request != requests_.end()) runtime.cancel(request->second);
  }
  return true;
}

void EngineThread::add(Runtime& runtime, Submitted submitted) {
  try {
    const RequestId id = runtime.add(std::move(submitted.request));
    tickets_.emplace(id, submitted.ticket);
    requests_.emplace(submitted.ticket, id);
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    const auto answering = answering_.find(submitted.ticket);
    answering->second.events->push({answering->second.choice, RequestFailed{error}});
    answering_.erase(answering);
  }
}

void EngineThread::deliver(Runtime& runtime, Event event) {
  const Ticket ticket = tickets_.at(event.request);
  const bool over = std::holds_alternative<RequestFinished>(event.what) ||
                    std::holds_alternative<RequestFailed>(event.what);
  {
    const std::lock_guard lock(mutex_);
    Answering& answering = answering_.at(ticket);
    if (!answering.events->push({answering.choice, std::move(event.what)}))
      runtime.cancel(event.request);
    if (over) answering_.erase(ticket);
  }
  if (!over) return;
  tickets_.erase(event.request);
  requests_.erase(ticket);
}

}  // namespace vl2
