// SPDX-License-Identifier: MIT
// Names of contents: pictures, and prefixes of sequences.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

#include "image/tiling.h"

namespace vl2 {

// The first 128 bits of a SHA-256. Equal hashes are taken for equal contents without a second
// look: among 2^40 pages two would collide by chance with probability 2^-49, and making a
// collision on purpose takes 2^64 hashes.
struct ContentHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const ContentHash&, const ContentHash&) = default;
};

// For unordered containers: the bits are mixed already.
struct ContentHashKey {
  std::size_t operator()(const ContentHash& hash) const noexcept {
    return static_cast<std::size_t>(hash.low);
  }
};

ContentHash hash_content(std::span<const std::uint8_t> bytes);

// Of one tile's pixels (tile 0 is the global view). `image_size` is the side of a tile.
ContentHash hash_tile(const PreparedImage& picture, std::size_t tile, int image_size);

// Of a whole picture as the model sees it: its grid and the hashes of its tiles.
ContentHash hash_picture(TileGrid grid, std::span<const ContentHash> tiles);

// A token as a link of a chain: a text token is its id, a picture token is a place in a picture.
struct TokenContent {
  std::int32_t id = 0;
  bool is_image = false;
  ContentHash picture;       // of image tokens
  std::uint32_t offset = 0;  // of image tokens, in the picture
};

// The name of a page of tokens that follows everything `parent` names (a default hash: nothing).
// Two sequences have equal names exactly where all their tokens so far are equal.
ContentHash hash_page(const ContentHash& parent, std::span<const TokenContent> tokens);

}  // namespace vl2
