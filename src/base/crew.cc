// SPDX-License-Identifier: MIT
#include "base/crew.h"

#include <thread>

namespace vl2 {
namespace {

thread_local Crew* t_current = nullptr;

// Some 100 microseconds. Without the processor's pause instruction: after some thousand of them a
// virtual machine gives the core away.
constexpr int kLooks = 1 << 18;

// Who waits may sit on the core that another thread of the crew needs.
constexpr int kLooksBetweenYields = 1 << 12;

// Until `number` is not `seen` any more: watches for a while, then sleeps.
int wait_while(const std::atomic<int>& number, int seen) noexcept {
  for (int i = 1; i <= kLooks; ++i) {
    const int now = number.load(std::memory_order_acquire);
    if (now != seen) return now;
    if (i % kLooksBetweenYields == 0) std::this_thread::yield();
  }
  int now = number.load(std::memory_order_acquire);
  while (now == seen) {
    number.wait(seen, std::memory_order_acquire);
    now = number.load(std::memory_order_acquire);
  }
  return now;
}

}  // namespace

Crew* Crew::current() noexcept { return t_current; }

Crew::Leading::Leading(Crew& crew) noexcept : crew_(crew) { t_current = &crew_; }
Crew::Leading::~Leading() {
  crew_.start({});
  t_current = nullptr;
}

void Crew::serve(std::size_t thread) noexcept {
  t_current = this;
  for (int seen = 0;;) {
    seen = wait_while(begun_, seen);
    if (task_.run == nullptr) break;
    task_.run(task_.context, thread, threads_);
    finished_.fetch_add(1, std::memory_order_release);
    finished_.notify_one();
  }
  t_current = nullptr;
}

void Crew::start(Task task) noexcept {
  task_ = task;
  busy_ = true;
  finished_.store(0, std::memory_order_relaxed);
  begun_.fetch_add(1, std::memory_order_release);
  begun_.notify_all();
}

void Crew::finish() noexcept {
  const int others = static_cast<int>(threads_) - 1;
  for (int done = finished_.load(std::memory_order_acquire); done != others;)
    done = wait_while(finished_, done);
  busy_ = false;
}

void Crew::barrier() noexcept {
  const int passed = passed_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<int>(threads_)) {
    arrived_.store(0, std::memory_order_relaxed);
    passed_.fetch_add(1, std::memory_order_release);
    passed_.notify_all();
  } else {
    wait_while(passed_, passed);
  }
}

}  // namespace vl2
