// SPDX-License-Identifier: MIT
// Threads that stay together for many short tasks: between tasks they watch a number in memory
// instead of waiting in the kernel or in OpenMP, whose beginning and end of a region take longer
// than some of the work.
#pragma once

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace vl2 {

class Crew {
 public:
  // `threads` of them: the leader, which is number 0, and threads - 1 that call serve().
  explicit Crew(std::size_t threads) noexcept : threads_(threads) {}
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // The crew that the calling thread is in, or null.
  static Crew* current() noexcept;

  // Enters the leader while it lives; its end lets the others go.
  class Leading {
   public:
    explicit Leading(Crew& crew) noexcept;
    ~Leading();
    Leading(const Leading&) = delete;
    Leading& operator=(const Leading&) = delete;

   private:
    Crew& crew_;
  };
  // Does this thread's part of every task until the leader leaves.
  void serve(std::size_t thread) noexcept;

  // For the leader: f(thread, threads) on every thread; returns when all have. Inside a task f runs
  // on the calling thread alone and must not wait at a barrier. f must not throw.
  template <class F>
  void run(F&& f) noexcept {
    if (busy_) {
      f(std::size_t{0}, std::size_t{1});
      return;
    }
    using Function = std::remove_reference_t<F>;
    start({[](void* context, std::size_t thread, std::size_t threads) {
             (*static_cast<Function*>(context))(thread, threads);
           },
           const_cast<void*>(static_cast<const void*>(&f))});
    f(std::size_t{0}, threads_);
    finish();
  }
  // Inside a task: waits until every thread has come here.
  void barrier() noexcept;

 private:
  struct Task {
    void (*run)(void* context, std::size_t thread, std::size_t threads) = nullptr;
    void* context = nullptr;
  };
  void start(Task task) noexcept;
  void finish() noexcept;

  std::size_t threads_;
  bool busy_ = false;
  Task task_;                                  // none: leave
  alignas(128) std::atomic<int> begun_{0};     // tasks; read by all, written by the leader
  alignas(128) std::atomic<int> finished_{0};  // tasks that others have done, of all threads
  alignas(128) std::atomic<int> arrived_{0};   // at the barrier
  alignas(128) std::atomic<int> passed_{0};    // barriers
};

}  // namespace vl2
