// SPDX-License-Identifier: MIT
#include "image/tiling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/check.h"
#include "image/resample.h"

namespace vl2 {
namespace {

// To the nearest whole number, halves to even, as Python's round.
int round_half_to_even(double value) {
  const double below = std::floor(value);
  const double rest = value - below;
  const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2.0) != 0.0);
  return static_cast<int>(up ? below + 1.0 : below);
}

void check_options(const TilingOptions& options) {
  if (options.image_size <= 0)
    throw Error(ErrorCode::invalid_argument, "the side of a picture tile must be positive");
  for (const Resolution& candidate : options.candidates) {
    if (candidate.width <= 0 || candidate.height <= 0 ||
        candidate.width % options.image_size != 0 || candidate.height % options.image_size != 0) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("candidate resolution {} x {} is not a multiple of the tile side {}",
                              candidate.width, candidate.height, options.image_size));
    }
  }
}

}  // namespace

Resolution best_resolution(Resolution picture, std::span<const Resolution> candidates) {
  if (candidates.empty())
    throw Error(ErrorCode::invalid_argument, "no candidate resolutions to choose from");
  const std::int64_t original = std::int64_t{picture.width} * picture.height;
  Resolution best = candidates.front();
  std::int64_t most_kept = -1;
  std::int64_t least_waste = std::numeric_limits<std::int64_t>::max();
  for (const Resolution& candidate : candidates) {
    // Double precision and truncation decide near ties of shape; both are the original's.
    const double scale = std::min(static_cast<double>(candidate.width) / picture.width,
                                  static_cast<double>(candidate.height) / picture.height);
    const auto width = static_cast<std::int64_t>(picture.width * scale);
    const auto height = static_cast<std::int64_t>(picture.height * scale);
    const std::int64_t kept = std::min(width * height, original);
    const std::int64_t waste = std::int64_t{candidate.width} * candidate.height - kept;
    if (kept > most_kept || (kept == most_kept && waste < least_waste)) {
      best = candidate;
      most_kept = kept;
      least_waste = waste;
    }
  }
  return best;
}

Placement place_in(Resolution picture, Resolution box, std::string_view name) {
  const double picture_ratio = static_cast<double>(picture.width) / picture.height;
  const double box_ratio = static_cast<double>(box.width) / box.height;
  Placement placement{box.width, box.height, 0, 0};
  if (picture_ratio > box_ratio) {
    placement.height =
        round_half_to_even(static_cast<double>(picture.height) / picture.width * box.width);
  } else if (picture_ratio < box_ratio) {
    placement.width =
        round_half_to_even(static_cast<double>(picture.width) / picture.height * box.height);
  }
  if (placement.width == 0 || placement.height == 0) {
    throw Error(ErrorCode::bad_image,
                fmt::format("{}{}a picture of {} x {} pixels is too thin: scaled to fit {} x {} "
                            "nothing is left of it; crop it",
                            name, name.empty() ? "" : ": ", picture.width, picture.height,
                            box.width, box.height));
  }
  placement.left = round_half_to_even((box.width - placement.width) * 0.5);
  placement.top = round_half_to_even((box.height - placement.height) * 0.5);
  return placement;
}

Image pad_into(const Image& image, Resolution box, std::array<std::uint8_t, 3> fill) {
  const Placement placement = place_in({image.width, image.height}, box);
  Image scaled = resize_bicubic(image, placement.width, placement.height);
  if (placement.width == box.width && placement.height == box.height) return scaled;

  const auto box_width = static_cast<std::size_t>(box.width);
  Image padded{box.width, box.height,
               std::vector<std::uint8_t>(box_width * static_cast<std::size_t>(box.height) * 3)};
  for (std::size_t i = 0; i < padded.rgb.size(); ++i) padded.rgb[i] = fill[i % 3];
  const auto row_bytes = static_cast<std::size_t>(placement.width) * 3;
  for (std::size_t y = 0; y < static_cast<std::size_t>(placement.height); ++y) {
    const std::size_t to = (static_cast<std::size_t>(placement.top) + y) * box_width +
                           static_cast<std::size_t>(placement.left);
    std::copy_n(&scaled.rgb[y * row_bytes], row_bytes, &padded.rgb[to * 3]);
  }
  return padded;
}

PreparedImage prepare_image(const Image& image, const TilingOptions& options) {
  check_options(options);
  const Resolution picture{image.width, image.height};
  const Resolution square{options.image_size, options.image_size};

  PreparedImage prepared;
  prepared.resolution = options.tiling ? best_resolution(picture, options.candidates) : square;
  prepared.grid = {prepared.resolution.width / options.image_size,
                   prepared.resolution.height / options.image_size};
  prepared.global_placement = place_in(picture, square, image.name);
  prepared.local_placement = place_in(picture, prepared.resolution, image.name);
  prepared.global_view = pad_into(image, square, options.fill);
  prepared.local_view = prepared.resolution == square
                            ? prepared.global_view
                            : pad_into(image, prepared.resolution, options.fill);
  return prepared;
}

void write_tile_pixels(const PreparedImage& prepared, std::size_t tile, int image_size,
                       std::array<float, 3> mean, std::array<float, 3> std, std::span<float> out) {
  const auto side = static_cast<std::size_t>(image_size);
  VL2_CHECK(tile < prepared.tile_count() && out.size() == 3 * side * side);
  const Image& view = tile == 0 ? prepared.global_view : prepared.local_view;
  const auto across = static_cast<std::size_t>(prepared.grid.across);
  const std::size_t first_row = tile == 0 ? 0 : (tile - 1) / across * side;
  const std::size_t first_column = tile == 0 ? 0 : (tile - 1) % across * side;
  const auto view_width = static_cast<std::size_t>(view.width);
  VL2_CHECK(first_column + side <= view_width &&
            first_row + side <= static_cast<std::size_t>(view.height));

  for (std::size_t channel = 0; channel < 3; ++channel) {
    std::array<float, 256> values;
    for (std::size_t v = 0; v < values.size(); ++v)
      values[v] = (static_cast<float>(v) / 255.0F - mean[channel]) / std[channel];
    float* to = &out[channel * side * side];
    for (std::size_t y = 0; y < side; ++y) {
      const std::size_t pixel = (first_row + y) * view_width + first_column;
      const std::uint8_t* from = &view.rgb[pixel * 3 + channel];
      for (std::size_t x = 0; x < side; ++x) *to++ = values[from[3 * x]];
    }
  }
}

std::size_t image_token_count(TileGrid grid, int tokens_per_side) {
  const auto side = static_cast<std::size_t>(tokens_per_side);
  const std::size_t rows = side * static_cast<std::size_t>(grid.down);
  const std::size_t columns = side * static_cast<std::size_t>(grid.across);
  return side * (side + 1) + 1 + rows * (columns + 1);
}

}  // namespace vl2
