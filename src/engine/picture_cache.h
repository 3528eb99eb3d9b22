// SPDX-License-Identifier: MIT
// What the vision tower made of picture tiles seen before.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/content_hash.h"

namespace vl2 {

// [tokens_per_side^2][hidden_size], as Model::encode_tiles gives them. Shared, so that a tile in
// use stays when the cache lets it go.
using TileRows = std::shared_ptr<const std::vector<float>>;

// Keyed by the pixels of a tile, so that the same view is encoded once, in whatever picture it
// comes. Bounded in bytes; the tile that was used longest ago goes first. One thread at a time.
class PictureCache {
 public:
  explicit PictureCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // Null if it is not there.
  TileRows find(const ContentHash& tile);
  // A tile larger than the whole cache is not kept.
  void insert(const ContentHash& tile, TileRows rows);

  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t size() const noexcept { return by_hash_.size(); }

 private:
  using Entry = std::pair<ContentHash, TileRows>;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // used last first
  std::unordered_map<ContentHash, std::list<Entry>::iterator, ContentHashKey> by_hash_;
};

}  // namespace vl2
