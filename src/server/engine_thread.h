// SPDX-License-Identifier: MIT
// The thread that loads the model, owns the runtime and steps it, and what others may ask of it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/model_files.h"
#include "engine/runtime.h"
#include "server/event_queue.h"

namespace vl2 {

// Names one answer on its way. Never used twice.
using Ticket = std::uint64_t;

struct EngineThreadOptions {
  std::function<LoadedModel()> load;
  // Once the model is there: how much memory it leaves is known by then.
  std::function<RuntimeOptions(const Model&)> runtime;
  std::size_t most_waiting = 256;  // answers that may wait besides those at work
  // Told how long each step took, on the engine's thread.
  std::function<void(double seconds)> step_observer = {};
};

struct EngineStatus {
  std::size_t running = 0;
  std::size_t waiting = 0;
  std::size_t pages = 0;       // of the KV cache
  std::size_t free_pages = 0;  // that no request is using
  TileCounts tiles = {};
};

// All members may be called by any thread.
class EngineThread {
 public:
  enum class State { loading, ready, failed, stopped };

  explicit EngineThread(EngineThreadOptions options);
  // Cancels what is at work.
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  State state() const;
  // Waits for the end of loading.
  State wait_until_loaded();
  // Why loading failed.
  std::optional<Error> failure() const;

  // Null until ready; then it stays.
  const LoadedModel* model() const;
  std::size_t cache_bytes() const;

  // All of these requests, or none when the queue is full. Request i tells `events` as choice i;
  // each ends with one RequestFinished or RequestFailed. A request whose events have no room in the
  // queue is cancelled.
  std::optional<std::vector<Ticket>> submit(std::vector<Request> requests,
                                            const std::shared_ptr<EventQueue>& events,
                                            std::size_t first_choice = 0);

  // The answer ends with the next step. Those that have ended are ignored.
  void cancel(Ticket ticket);

  // There is room for so many more answers.
  bool has_room(std::size_t answers = 1) const;

  EngineStatus status() const;

  // From now on nothing is accepted; what is at work goes on.
  void refuse_more();
  // Ends everything with the next step.
  void stop();

 private:
  struct Submitted {
    Ticket ticket;
    Request request;
  };
  struct Answering {
    std::shared_ptr<EventQueue> events;
    std::size_t choice = 0;
  };

  void run();
  // Nothing comes any more: everybody who waits is told why.
  void end(State state, const Error& why);
  void serve(Runtime& runtime);
  // Waits for work; false when it is time to stop. Moves what was asked for to the runtime.
  bool take_orders(Runtime& runtime);
  void add(Runtime& runtime, Submitted submitted);
  void deliver(Runtime& runtime, Event event);

  EngineThreadOptions options_;
  std::optional<LoadedModel> model_;
  std::size_t most_answers_ = 0;  // at work and waiting
  std::size_t cache_bytes_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::loading;
  std::optional<Error> failure_;
  bool refusing_ = false;
  bool stopping_ = false;
  Ticket next_ticket_ = 1;
  std::vector<Submitted> submitted_;
  std::vector<Ticket> cancelled_;
  std::unordered_map<Ticket, Answering> answering_;
  EngineStatus status_;

  // Of the engine's thread alone.
  std::unordered_map<RequestId, Ticket> tickets_;
  std::unordered_map<Ticket, RequestId> requests_;
  std::thread thread_;
};

}  // namespace vl2
