// SPDX-License-Identifier: MIT
// The memory that bodies of requests may take, all together.
#pragma once

#include <atomic>
#include <cstddef>

namespace vl2 {

// Any number of threads. Outlives its shares.
class BodyRoom {
 public:
  explicit BodyRoom(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  BodyRoom(const BodyRoom&) = delete;
  BodyRoom& operator=(const BodyRoom&) = delete;

  std::size_t used() const noexcept { return used_; }

  // What one request takes, until the share is destroyed or given back.
  class Share {
   public:
    Share() = default;
    explicit Share(BodyRoom& room) : room_(&room) {}
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;
    ~Share() { give_back(); }

    // False when there is no room for so many more bytes; they are not taken then.
    bool grow(std::size_t bytes);
    void give_back() noexcept;

   private:
    BodyRoom* room_ = nullptr;
    std::size_t bytes_ = 0;
  };

 private:
  std::size_t most_bytes_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace vl2
