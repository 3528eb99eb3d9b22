// SPDX-License-Identifier: MIT
#include "server/connection_threads.h"

#include <utility>

namespace vl2 {
namespace {

thread_local bool is_connection_thread = false;

}  // namespace

bool ConnectionThreads::inside_task() noexcept { return is_connection_thread; }

void ConnectionThreads::enqueue(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    const bool room = idle_ > tasks_.size() || threads_.size() < most_;
    if (room) {
      if (idle_ <= tasks_.size()) threads_.emplace_back([this] { work(); });
      tasks_.push_back(std::move(task));
      changed_.notify_one();
      return;
    }
  }
  task();
}

void ConnectionThreads::work() {
  is_connection_thread = true;
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

void ConnectionThreads::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace vl2
