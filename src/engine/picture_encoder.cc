// SPDX-License-Identifier: MIT
#include "engine/picture_encoder.h"

#include <algorithm>
#include <array>
#include <memory>

namespace vl2 {
namespace {

std::array<float, 3> to_floats(const std::array<double, 3>& values) {
  return {static_cast<float>(values[0]), static_cast<float>(values[1]),
          static_cast<float>(values[2])};
}

// Hands a tile's rows to every picture of the sequence that has the tile.
void hand_out(Sequence& sequence, const ContentHash& hash, const TileRows& rows) {
  for (SequencePicture& picture : sequence.pictures()) {
    const std::vector<ContentHash>& tiles = picture.place.picture->tiles;
    for (std::size_t i = 0; i < tiles.size(); ++i)
      if (tiles[i] == hash) picture.tiles[i] = rows;
  }
}

bool complete(const SequencePicture& picture) {
  return std::ranges::all_of(picture.tiles, [](const TileRows& rows) { return rows != nullptr; });
}

}  // namespace

bool PictureEncoder::collect(Sequence& sequence) {
  bool all = true;
  for (SequencePicture& picture : sequence.pictures()) {
    if (!picture.rows.empty()) continue;
    for (std::size_t i = 0; i < picture.tiles.size(); ++i)
      if (!picture.tiles[i]) picture.tiles[i] = cache_.find(picture.place.picture->tiles[i]);
    if (complete(picture)) arrange(picture);
    all &= !picture.rows.empty();
  }
  return all;
}

std::vector<PictureEncoder::Tile> PictureEncoder::next_group(Sequence& sequence) const {
  std::vector<Tile> group;
  for (const SequencePicture& picture : sequence.pictures()) {
    for (std::size_t i = 0; i < picture.tiles.size(); ++i) {
      if (group.size() == options_.tiles_at_once) return group;
      const Tile tile{picture.place.picture.get(), i};
      const bool is_new = std::ranges::none_of(
          group, [&](const Tile& other) { return other.hash() == tile.hash(); });
      if (picture.rows.empty() && !picture.tiles[i] && is_new) group.push_back(tile);
    }
  }
  return group;
}

void PictureEncoder::write_pixels(const Tile& tile, std::span<float> out) const {
  const ProcessorConfig& processor = model_.config().processor;
  const bool normalize = processor.normalize;
  write_tile_pixels(tile.picture->prepared, tile.index, processor.image_size(),
                    normalize ? to_floats(processor.image_mean) : std::array{0.0F, 0.0F, 0.0F},
                    normalize ? to_floats(processor.image_std) : std::array{1.0F, 1.0F, 1.0F}, out);
}

void PictureEncoder::encode_group(Sequence& sequence) {
  const std::vector<Tile> group = next_group(sequence);
  const std::size_t pixels_each = model_.pixels_per_tile();
  std::vector<float> pixels(group.size() * pixels_each);
  for (std::size_t i = 0; i < group.size(); ++i)
    write_pixels(group[i], std::span(pixels).subspan(i * pixels_each, pixels_each));

  ops_.arena().reset();
  const Rows encoded = model_.encode_tiles(ops_, pixels);
  const std::size_t rows_each = encoded.count / group.size();
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto rows = std::make_shared<std::vector<float>>();
    rows->reserve(rows_each * encoded.width);
    for (std::size_t r = 0; r < rows_each; ++r) {
      const auto row = encoded[i * rows_each + r];
      rows->insert(rows->end(), row.begin(), row.end());
    }
    hand_out(sequence, group[i].hash(), rows);
    cache_.insert(group[i].hash(), rows);
  }
}

void PictureEncoder::arrange(SequencePicture& picture) const {
  const auto width = static_cast<std::size_t>(model_.config().language.hidden_size);
  std::vector<float> tiles;
  tiles.reserve(picture.tiles.size() * picture.tiles.front()->size());
  for (const TileRows& rows : picture.tiles) tiles.insert(tiles.end(), rows->begin(), rows->end());
  picture.rows.resize(picture.place.count * width);
  model_.arrange_picture({tiles.data(), tiles.size() / width, width, width},
                         picture.place.picture->prepared.grid, picture.rows);
}

}  // namespace vl2
