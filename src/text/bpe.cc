// SPDX-License-Identifier: MIT
#include "text/bpe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace vl2 {
namespace {

std::uint64_t pair_of(std::int32_t left, std::int32_t right) noexcept {
  return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) |
         std::uint64_t{static_cast<std::uint32_t>(right)};
}

}  // namespace

Bpe::Bpe(const std::array<std::int32_t, 256>& byte_ids, std::vector<Merge> merges)
    : byte_ids_(byte_ids), merges_(std::move(merges)) {
  const std::size_t capacity = std::bit_ceil(2 * merges_.size() + 2);
  slots_.resize(capacity);
  shift_ = 64 - std::countr_zero(capacity);
  for (std::size_t rank = 0; rank < merges_.size(); ++rank) {
    insert(pair_of(merges_[rank].left, merges_[rank].right), static_cast<std::uint32_t>(rank));
  }
}

// Fibonacci hashing: the high bits of a product with 2^64 / golden ratio.
std::size_t Bpe::home(std::uint64_t pair) const noexcept {
  return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15ull) >> shift_);
}

void Bpe::insert(std::uint64_t pair, std::uint32_t rank) {
  std::size_t at = home(pair);
  while (slots_[at].pair != kNoPair && slots_[at].pair != pair) at = (at + 1) % slots_.size();
  slots_[at] = {pair, rank};
}

std::int64_t Bpe::rank_of(std::int32_t left, std::int32_t right) const noexcept {
  const std::uint64_t pair = pair_of(left, right);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = home(pair); slots_[at].pair != kNoPair; at = (at + 1) & mask) {
    if (slots_[at].pair == pair) return slots_[at].rank;
  }
  return -1;
}

void Bpe::enqueue(Scratch& scratch, std::size_t left) const {
  const auto& symbols = scratch.symbols_;
  const auto right = static_cast<std::size_t>(symbols[left].next);
  if (right == symbols.size()) return;
  const std::int64_t rank = rank_of(symbols[left].id, symbols[right].id);
  if (rank < 0) return;
  scratch.queue_.push_back((static_cast<std::uint64_t>(rank) << 32) | left);
  std::push_heap(scratch.queue_.begin(), scratch.queue_.end(), std::greater<>());
}

void Bpe::encode(std::string_view piece, Scratch& scratch, std::vector<std::int32_t>& ids) const {
  VL2_CHECK(piece.size() <= INT32_MAX);
  auto& symbols = scratch.symbols_;
  auto& queue = scratch.queue_;
  symbols.resize(piece.size());
  queue.clear();
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const auto position = static_cast<std::int32_t>(i);
    symbols[i] = {byte_ids_[static_cast<unsigned char>(piece[i])], position - 1, position + 1};
  }
  for (std::size_t i = 0; i < piece.size(); ++i) enqueue(scratch, i);

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    const std::uint64_t entry = queue.back();
    queue.pop_back();
    const auto left = static_cast<std::size_t>(entry & UINT32_MAX);
    const Merge& merge = merges_[static_cast<std::size_t>(entry >> 32)];
    // An entry is stale when either side has been joined to something else since.
    const auto right = static_cast<std::size_t>(symbols[left].next);
    if (symbols[left].id != merge.left || right == symbols.size() ||
        symbols[right].id != merge.right) {
      continue;
    }
    symbols[left].id = merge.result;
    symbols[left].next = symbols[right].next;
    symbols[right].id = -1;
    const auto after = static_cast<std::size_t>(symbols[left].next);
    if (after < symbols.size()) symbols[after].previous = static_cast<std::int32_t>(left);
    if (symbols[left].previous >= 0) {
      enqueue(scratch, static_cast<std::size_t>(symbols[left].previous));
    }
    enqueue(scratch, left);
  }
  for (std::size_t i = 0; i < symbols.size(); i = static_cast<std::size_t>(symbols[i].next)) {
    ids.push_back(symbols[i].id);
  }
}

}  // namespace vl2
