// SPDX-License-Identifier: MIT
// Pictures of sequences through the vision tower, a few tiles at a time.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/picture_cache.h"
#include "engine/sequence.h"
#include "kernels/ops.h"
#include "model/model.h"

namespace vl2 {

// Never encodes the same tile twice while its cache holds it. One thread at a time.
class PictureEncoder {
 public:
  struct Options {
    std::size_t tiles_at_once = 2;
    std::size_t cache_bytes = 0;
  };
  // Both are borrowed; encode_group() empties the arena of `ops`.
  PictureEncoder(const Model& model, const Ops& ops, const Options& options)
      : model_(model), ops_(ops), options_(options), cache_(options.cache_bytes) {}

  // Gives the sequence the tiles that are there, and the rows of pictures whose tiles are all
  // there. True when it has all the rows it needs.
  bool collect(Sequence& sequence);

  // Encodes the next tiles that collect() did not find, up to tiles_at_once different ones.
  // Throws Error{out_of_memory}.
  void encode_group(Sequence& sequence);

 private:
  struct Tile {
    const PictureInput* picture;
    std::size_t index;
    const ContentHash& hash() const { return picture->tiles[index]; }
  };
  std::vector<Tile> next_group(Sequence& sequence) const;
  void write_pixels(const Tile& tile, std::span<float> out) const;
  void arrange(SequencePicture& picture) const;

  const Model& model_;
  const Ops& ops_;
  Options options_;
  PictureCache cache_;
};

}  // namespace vl2
