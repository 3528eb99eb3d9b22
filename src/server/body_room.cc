// SPDX-License-Identifier: MIT
#include "server/body_room.h"

#include <utility>

namespace vl2 {

BodyRoom::Share::Share(Share&& other) noexcept
    : room_(std::exchange(other.room_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

BodyRoom::Share& BodyRoom::Share::operator=(Share&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  room_ = std::exchange(other.room_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

bool BodyRoom::Share::grow(std::size_t bytes) {
  if (room_->used_.fetch_add(bytes) + bytes > room_->most_bytes_) {
    room_->used_ -= bytes;
    return false;
  }
  bytes_ += bytes;
  return true;
}

void BodyRoom::Share::give_back() noexcept {
  if (room_ != nullptr) room_->used_ -= std::exchange(bytes_, 0);
}

}  // namespace vl2
