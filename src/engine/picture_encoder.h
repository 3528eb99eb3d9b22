// SPDX-License-Identifier: MIT
// Pictures of sequences through the vision tower, a few tiles at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/picture_cache.h"
#include "engine/picture_files.h"
#include "engine/sequence.h"
#include "kernels/ops.h"
#include "model/model.h"

namespace vl2 {

// Where tiles came from, since the start.
struct TileCounts {
  std::uint64_t encoded = 0;
  std::uint64_t from_memory = 0;
  std::uint64_t from_files = 0;
};

// Never encodes the same tile twice while its cache or its files hold it. One thread at a time.
class PictureEncoder {
 public:
  struct Options {
    std::size_t tiles_at_once = 2;
    std::size_t cache_bytes = 0;
    PictureFilesOptions files = {};
    std::string kernels = {};  // the name of those behind `ops`
  };
  // Both are borrowed; encode_group() empties the arena of `ops`. With files, a tile is encoded to
  // know what made them. Throws Error{io} if they cannot be used, Error{out_of_memory}.
  PictureEncoder(const Model& model, const Ops& ops, const Options& options);

  // Gives the sequence the tiles that are there, and the rows of pictures whose tiles are all
  // there. True when it has all the rows it needs.
  bool collect(Sequence& sequence);

  // Encodes the next tiles that collect() did not find, up to tiles_at_once different ones.
  // Throws Error{out_of_memory}.
  void encode_group(Sequence& sequence);

  const TileCounts& counts() const noexcept { return counts_; }

 private:
  struct Tile {
    const PictureInput* picture;
    std::size_t index;
    const ContentHash& hash() const { return picture->tiles[index]; }
  };
  std::vector<Tile> next_group(Sequence& sequence) const;
  void write_pixels(const Tile& tile, std::span<float> out) const;
  std::vector<TileRows> encode(std::span<const float> pixels, std::size_t tiles) const;
  ContentHash maker() const;
  TileRows find(const ContentHash& tile);
  void arrange(SequencePicture& picture) const;

  const Model& model_;
  const Ops& ops_;
  Options options_;
  PictureCache cache_;
  std::optional<PictureFiles> files_;
  TileCounts counts_;
};

}  // namespace vl2
