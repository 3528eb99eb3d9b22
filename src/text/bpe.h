// SPDX-License-Identifier: MIT
// Byte-pair encoding of one piece of text: begins with a token a byte and joins neighbours, the
// merge of lowest rank first and among equals the leftmost, until none applies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vl2 {

// Joins tokens `left` and `right`. Its rank is its index in the list of merges.
struct Merge {
  std::int32_t left = 0;
  std::int32_t right = 0;
  std::int32_t result = 0;
};

// Immutable and shared by threads.
class Bpe {
 public:
  // Memory for one thread's encoding, reused from piece to piece.
  class Scratch {
    friend class Bpe;
    struct Symbol {
      std::int32_t id = 0;  // -1 once it was joined to its left neighbour
      std::int32_t previous = 0;
      std::int32_t next = 0;  // symbols_.size() at the end
    };
    std::vector<Symbol> symbols_;
    std::vector<std::uint64_t> queue_;  // [rank | position of the left symbol], a min-heap
  };

  // `byte_ids[b]` is the token of byte b. Of merges of the same pair the last one counts.
  Bpe(const std::array<std::int32_t, 256>& byte_ids, std::vector<Merge> merges);

  // Appends the tokens of `piece`, at most 2^31 - 1 bytes. Takes O(n log n).
  void encode(std::string_view piece, Scratch& scratch, std::vector<std::int32_t>& ids) const;

 private:
  struct Slot {
    std::uint64_t pair = kNoPair;  // [left | right]
    std::uint32_t rank = 0;
  };
  static constexpr std::uint64_t kNoPair = UINT64_MAX;

  std::size_t home(std::uint64_t pair) const noexcept;
  void insert(std::uint64_t pair, std::uint32_t rank);
  // The rank of the merge of a pair, or -1.
  std::int64_t rank_of(std::int32_t left, std::int32_t right) const noexcept;
  void enqueue(Scratch& scratch, std::size_t left) const;

  std::array<std::int32_t, 256> byte_ids_;
  std::vector<Merge> merges_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  int shift_ = 0;
};

}  // namespace vl2
