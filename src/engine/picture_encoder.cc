// SPDX-License-Identifier: MIT
#include "engine/picture_encoder.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"

namespace vl2 {
namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

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

PictureEncoder::PictureEncoder(const Model& model, const Ops& ops, const Options& options)
    : model_(model), ops_(ops), options_(options), cache_(options.cache_bytes) {
  if (options.files.folder.empty()) return;
  const std::size_t side = size(model.config().tokens_per_side());
  files_.emplace(options.files, maker(), side * side * size(model.config().language.hidden_size));
}

bool PictureEncoder::collect(Sequence& sequence) {
  bool all = true;
  for (SequencePicture& picture : sequence.pictures()) {
    if (!picture.rows.empty()) continue;
    for (std::size_t i = 0; i < picture.tiles.size(); ++i)
      if (!picture.tiles[i]) picture.tiles[i] = find(picture.place.picture->tiles[i]);
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

  const std::vector<TileRows> encoded = encode(pixels, group.size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    hand_out(sequence, group[i].hash(), encoded[i]);
    cache_.insert(group[i].hash(), encoded[i]);
    if (files_) files_->insert(group[i].hash(), encoded[i]);
  }
  counts_.encoded += group.size();
}

std::vector<TileRows> PictureEncoder::encode(std::span<const float> pixels,
                                             std::size_t tiles) const {
  ops_.arena().reset();
  const Rows encoded = model_.encode_tiles(ops_, pixels);
  const std::size_t rows_each = encoded.count / tiles;
  std::vector<TileRows> all;
  for (std::size_t i = 0; i < tiles; ++i) {
    auto rows = std::make_shared<std::vector<float>>();
    rows->reserve(rows_each * encoded.width);
    for (std::size_t r = 0; r < rows_each; ++r) {
      const auto row = encoded[i * rows_each + r];
      rows->insert(rows->end(), row.begin(), row.end());
    }
    all.push_back(std::move(rows));
  }
  return all;
}

// What comes out for a tile of noise tells weights, normalisation, format, kernels and this build
// of the program apart, without reading all of the weights.
ContentHash PictureEncoder::maker() const {
  const int side = model_.config().processor.image_size();
  PictureInput noise;
  noise.prepared.global_view = {side, side, std::vector<std::uint8_t>(size(side) * size(side) * 3)};
  for (std::size_t i = 0; i < noise.prepared.global_view.rgb.size(); ++i)
    noise.prepared.global_view.rgb[i] = static_cast<std::uint8_t>(random_bits(0, i));
  std::vector<float> pixels(model_.pixels_per_tile());
  write_pixels({&noise, 0}, pixels);
  const TileRows rows = encode(pixels, 1).front();

  std::string name = fmt::format("{} {} ", to_string(model_.recipe()), options_.kernels);
  name.append(reinterpret_cast<const char*>(rows->data()), rows->size() * sizeof(float));
  return hash_content({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
}

TileRows PictureEncoder::find(const ContentHash& tile) {
  if (TileRows rows = cache_.find(tile)) {
    ++counts_.from_memory;
    return rows;
  }
  TileRows rows = files_ ? files_->find(tile) : nullptr;
  if (rows == nullptr) return nullptr;
  ++counts_.from_files;
  cache_.insert(tile, rows);
  return rows;
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
