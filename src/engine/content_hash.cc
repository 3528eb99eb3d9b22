// SPDX-License-Identifier: MIT
#include "engine/content_hash.h"

#include <cstring>
#include <type_traits>
#include <vector>

#include "base/sha256.h"

namespace vl2 {
namespace {

// Numbers side by side, in this machine's byte order: hashes never leave the process.
class Bytes {
 public:
  template <class T>
  void put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(&bytes_[at], &value, sizeof(T));
  }
  void put(const ContentHash& hash) {
    put(hash.high);
    put(hash.low);
  }
  ContentHash hash() const { return hash_content(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

ContentHash hash_content(std::span<const std::uint8_t> bytes) {
  const auto digest = sha256(bytes);
  ContentHash hash;
  std::memcpy(&hash.high, digest.data(), sizeof(hash.high));
  std::memcpy(&hash.low, digest.data() + sizeof(hash.high), sizeof(hash.low));
  return hash;
}

ContentHash hash_tile(const PreparedImage& picture, std::size_t tile, int image_size) {
  const auto side = static_cast<std::size_t>(image_size);
  if (tile == 0) return hash_content(picture.global_view.rgb);
  const auto across = static_cast<std::size_t>(picture.grid.across);
  const std::size_t first_row = (tile - 1) / across * side;
  const std::size_t first_column = (tile - 1) % across * side;
  const Image& view = picture.local_view;
  std::vector<std::uint8_t> pixels(side * side * 3);
  for (std::size_t y = 0; y < side; ++y) {
    const std::size_t from =
        ((first_row + y) * static_cast<std::size_t>(view.width) + first_column) * 3;
    std::memcpy(&pixels[y * side * 3], &view.rgb[from], side * 3);
  }
  return hash_content(pixels);
}

ContentHash hash_picture(TileGrid grid, std::span<const ContentHash> tiles) {
  Bytes bytes;
  bytes.put(grid.across);
  bytes.put(grid.down);
  for (const ContentHash& tile : tiles) bytes.put(tile);
  return bytes.hash();
}

ContentHash hash_page(const ContentHash& parent, std::span<const TokenContent> tokens) {
  Bytes bytes;
  bytes.put(parent);
  for (const TokenContent& token : tokens) {
    // Every token takes the same number of bytes, so that no two lists of tokens look alike.
    bytes.put(std::uint32_t{token.is_image});
    bytes.put(token.is_image ? token.offset : static_cast<std::uint32_t>(token.id));
    bytes.put(token.is_image ? token.picture : ContentHash{});
  }
  return bytes.hash();
}

}  // namespace vl2
