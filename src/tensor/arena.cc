// SPDX-License-Identifier: MIT
#include "tensor/arena.h"

#include <algorithm>

namespace vl2 {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSmallestBlock = std::size_t{1} << 20;

}  // namespace

std::byte* Arena::allocate(std::size_t bytes) {
  const std::size_t wanted = round_up(std::max<std::size_t>(bytes, 1), kAlignment);
  while (position_.block < blocks_.size() &&
         position_.used + wanted > blocks_[position_.block].size()) {
    ++position_.block;
    position_.used = 0;
  }
  if (position_.block == blocks_.size())
    blocks_.emplace_back(std::max({wanted, kSmallestBlock, held_bytes() / 2}));
  std::byte* out = blocks_[position_.block].data() + position_.used;
  position_.used += wanted;
  position_.total += wanted;
  high_water_ = std::max(high_water_, position_.total);
  return out;
}

Rows Arena::rows(std::size_t count, std::size_t width) {
  return {array<float>(count * width).data(), count, width, width};
}

Packed Arena::packed(Operand operand, std::size_t count, std::size_t width, std::size_t stack) {
  Packed out{nullptr, operand, count, width, stack};
  out.tiles = allocate(out.total_bytes());
  return out;
}

void Arena::reset() {
  position_ = {};
  if (blocks_.size() <= 1) return;
  blocks_.clear();
  blocks_.emplace_back(high_water_);
}

std::size_t Arena::held_bytes() const noexcept {
  std::size_t sum = 0;
  for (const AlignedBuffer& block : blocks_) sum += block.size();
  return sum;
}

}  // namespace vl2
