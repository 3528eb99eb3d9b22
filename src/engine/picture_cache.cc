// SPDX-License-Identifier: MIT
#include "engine/picture_cache.h"

namespace vl2 {
namespace {

std::size_t bytes_of(const TileRows& rows) { return rows->size() * sizeof(float); }

}  // namespace

TileRows PictureCache::find(const ContentHash& tile) {
  const auto at = by_hash_.find(tile);
  if (at == by_hash_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, at->second);
  return at->second->second;
}

void PictureCache::insert(const ContentHash& tile, TileRows rows) {
  if (bytes_of(rows) > most_bytes_ || by_hash_.contains(tile)) return;
  bytes_ += bytes_of(rows);
  entries_.emplace_front(tile, std::move(rows));
  by_hash_.emplace(tile, entries_.begin());
  while (bytes_ > most_bytes_) {
    bytes_ -= bytes_of(entries_.back().second);
    by_hash_.erase(entries_.back().first);
    entries_.pop_back();
  }
}

}  // namespace vl2
