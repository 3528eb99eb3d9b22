// SPDX-License-Identifier: MIT
// Memory for the activations of a step: taken from the front, given back all at once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "tensor/packed.h"
#include "tensor/rows.h"

namespace vl2 {

// Grows by whole blocks, never moves what it handed out, and after reset() holds one block as
// large as the most that was ever in use: it stops growing after the first step of the largest
// kind. One thread at a time; the memory may be used by many.
class Arena {
 public:
  // 64-byte aligned, contents undefined. Throws Error{out_of_memory}.
  std::byte* allocate(std::size_t bytes);

  Rows rows(std::size_t count, std::size_t width);
  Packed packed(Operand operand, std::size_t count, std::size_t width, std::size_t stack = 1);
  template <class T>
  std::span<T> array(std::size_t count) {
    return {reinterpret_cast<T*>(allocate(count * sizeof(T))), count};
  }

  // Everything handed out becomes invalid.
  void reset();
  // The most bytes in use at once so far.
  std::size_t high_water_bytes() const noexcept { return high_water_; }
  std::size_t held_bytes() const noexcept;

 private:
  friend class ScratchScope;
  struct Position {
    std::size_t block = 0;
    std::size_t used = 0;   // bytes of that block
    std::size_t total = 0;  // bytes in use altogether
  };
  std::vector<AlignedBuffer> blocks_;
  Position position_;
  std::size_t high_water_ = 0;
};

// What is allocated inside the scope is free again at its end.
class ScratchScope {
 public:
  explicit ScratchScope(Arena& arena) : arena_(arena), position_(arena.position_) {}
  ~ScratchScope() { arena_.position_ = position_; }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;

 private:
  Arena& arena_;
  Arena::Position position_;
};

}  // namespace vl2
