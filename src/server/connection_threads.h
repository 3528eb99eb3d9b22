// SPDX-License-Identifier: MIT
// A thread for every open connection, up to a limit.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <httplib.h>

namespace vl2 {

// Threads start when they are needed and stay. A connection beyond the limit is handed to
// `overloaded`-aware code on the accepting thread: its task runs there with inside_task() false.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(std::size_t most) : most_(most) {}

  void enqueue(std::function<void()> task) override;
  // Waits for the tasks that are running.
  void shutdown() override;

  // The calling thread is one of some ConnectionThreads.
  static bool inside_task() noexcept;

 private:
  void work();

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vl2
