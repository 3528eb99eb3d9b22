// SPDX-License-Identifier: MIT
// The threads of one engine. The only file that knows OpenMP.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>

#include <omp.h>

#include "base/crew.h"

namespace vl2 {

struct Share {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Part `index` of `parts` contiguous, nearly equal parts of 0..count, cut at multiples of `unit`.
constexpr Share share_of(std::size_t count, std::size_t index, std::size_t parts,
                         std::size_t unit = 1) noexcept {
  const std::size_t units = (count + unit - 1) / unit;
  return {std::min(count, units * index / parts * unit),
          std::min(count, units * (index + 1) / parts * unit)};
}

// A number of threads that work together on one thing at a time. Work is split statically, so
// timings repeat; results never depend on the number of threads, because no sum is split.
// Copyable; one caller at a time.
class ThreadTeam {
 public:
  // 0: as many as this process may use (cores, affinity, OMP_NUM_THREADS).
  explicit ThreadTeam(int threads = 0) : threads_(threads > 0 ? threads : omp_get_max_threads()) {}

  int size() const noexcept { return threads_; }

  // f(thread, threads) on every thread at once; returns when all have. `threads` may be fewer
  // than size() if the system gives no more. f must not throw.
  template <class F>
  void run(F&& f) const {
    if (threads_ == 1) {
      f(std::size_t{0}, std::size_t{1});
      return;
    }
    if (Crew* crew = Crew::current()) {
      crew->run(f);
      return;
    }
#pragma omp parallel num_threads(threads_)
    f(static_cast<std::size_t>(omp_get_thread_num()),
      static_cast<std::size_t>(omp_get_num_threads()));
  }

  // f() on the calling thread, while the others wait for what f hands to run() and split(): these
  // then begin and end in a fraction of the time. For many short pieces of work in a row. Throws
  // what f throws, which must be a std::exception.
  template <class F>
  void stay_together(F&& f) const {
    if (threads_ == 1 || Crew::current() != nullptr) {
      f();
      return;
    }
    std::exception_ptr thrown;
    std::optional<Crew> crew;
#pragma omp parallel num_threads(threads_)
    {
      // Ends with a barrier.
#pragma omp single
      crew.emplace(static_cast<std::size_t>(omp_get_num_threads()));
      if (omp_get_thread_num() == 0) {
        const Crew::Leading leading(*crew);
        try {
          f();
        } catch (const std::exception&) {
          thrown = std::current_exception();
        }
      } else {
        crew->serve(static_cast<std::size_t>(omp_get_thread_num()));
      }
    }
    if (thrown) std::rethrow_exception(thrown);
  }

  // f(begin, end) for contiguous shares of 0..count, cut at multiples of `unit`; on the calling
  // thread alone when there is one unit or less. f must not throw.
  template <class F>
  void split(std::size_t count, std::size_t unit, F&& f) const {
    if (count == 0) return;
    if (count <= unit || threads_ == 1) {
      f(std::size_t{0}, count);
      return;
    }
    run([&](std::size_t thread, std::size_t threads) {
      const Share share = share_of(count, thread, threads, unit);
      if (share.begin < share.end) f(share.begin, share.end);
    });
  }

 private:
  int threads_;
};

// Waits, inside ThreadTeam::run, until every thread of the team has come here.
inline void team_barrier() {
  if (Crew* crew = Crew::current()) {
    crew->barrier();
    return;
  }
#pragma omp barrier
}

}  // namespace vl2
