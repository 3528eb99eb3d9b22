// SPDX-License-Identifier: MIT
// How a picture is shown to the vision tower: a global view, the whole picture padded into one
// square, and a local view, the picture padded into the grid of squares that wastes least.
// As DeepSeek-VL2's processor, to the last bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vl2/image.h"

namespace vl2 {

struct Resolution {
  int width = 0;   // pixels
  int height = 0;  // pixels
  bool operator==(const Resolution&) const = default;
};

// Local tiles; the global view comes on top.
struct TileGrid {
  int across = 1;
  int down = 1;
  bool operator==(const TileGrid&) const = default;
};

struct TilingOptions {
  int image_size = 384;                                // side of a tile
  std::vector<Resolution> candidates = {};             // of the local view, multiples of image_size
  bool tiling = true;                                  // false: the local view is one tile
  std::array<std::uint8_t, 3> fill = {127, 127, 127};  // around the picture: int(mean * 255)
};

// Where the scaled picture lies in its padded view.
struct Placement {
  int width = 0;
  int height = 0;
  int left = 0;
  int top = 0;
  bool operator==(const Placement&) const = default;
};

struct PreparedImage {
  Resolution resolution;  // of the local view
  TileGrid grid;
  Image global_view;  // image_size x image_size
  Image local_view;   // resolution
  Placement global_placement;
  Placement local_placement;

  // Tiles in all: the global one and the local ones.
  std::size_t tile_count() const noexcept {
    return 1 + static_cast<std::size_t>(grid.across) * static_cast<std::size_t>(grid.down);
  }
};

// The candidate that keeps most of the picture's pixels, of those the one that wastes least, of
// those the first. Throws Error{invalid_argument} if there is no candidate.
Resolution best_resolution(Resolution picture, std::span<const Resolution> candidates);

// The picture in `box`, as large as its shape allows and in the middle. Throws Error{bad_image} if
// it is so thin that one side would vanish, beginning with `name`, which may be empty.
Placement place_in(Resolution picture, Resolution box, std::string_view name = {});

// Scales `image` to its placement in `box` and fills the rest. Throws as place_in does.
Image pad_into(const Image& image, Resolution box, std::array<std::uint8_t, 3> fill);

// Throws Error{bad_image} for a picture too thin, Error{invalid_argument} for options that make no
// sense.
PreparedImage prepare_image(const Image& image, const TilingOptions& options);

// Writes (v / 255 - mean) / std in float32 as [channel][row][column], 3 * image_size^2 values, of
// tile 0 (the global view) or of the local tiles, row by row from 1 on.
void write_tile_pixels(const PreparedImage& prepared, std::size_t tile, int image_size,
                       std::array<float, 3> mean, std::array<float, 3> std, std::span<float> out);

// Places that the picture takes in the prompt when a tile gives n x n tokens: every row of the
// global view and of the local grid ends with a newline, and a separator stands between the two.
std::size_t image_token_count(TileGrid grid, int tokens_per_side);

}  // namespace vl2
