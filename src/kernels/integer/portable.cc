// SPDX-License-Identifier: MIT
// The definition. Tiles hold the codes as signed bytes, [panel][k / 4][column][k % 4].
#include "kernels/integer/integer_functions.h"
#include "tensor/format/int8.h"
#include "tensor/integer_rows.h"
#include "tensor/tiles.h"

namespace vl2::integer_functions {
namespace {

constexpr std::size_t kPanelBytes = kIntegerDepth * kTileColumns;

constexpr std::size_t byte_of(std::size_t k, std::size_t n) {
  return n / kTileColumns * kPanelBytes + k / 4 * 64 + n % kTileColumns * 4 + k % 4;
}

}  // namespace

void portable_expand(const std::byte* steps, std::size_t count, std::byte* tiles) {
  for (std::size_t step = 0; step < count; ++step, steps += int8::kStepBytes) {
    std::byte* tile = tiles + step / 2 * 2 * kPanelBytes;
    const std::size_t first = step % 2 * kTileDepth;
    for (std::size_t k = 0; k < kTileDepth; ++k)
      for (std::size_t n = 0; n < kPairColumns; ++n) {
        const int code = int8::decode(static_cast<std::uint8_t>(steps[int8::byte_of(k, n)]));
        tile[byte_of(first + k, n)] = static_cast<std::byte>(code);
      }
  }
}

void portable(const IntegerBlock& block) {
  for (std::size_t m = 0; m < block.rows; ++m) {
    const std::int8_t* row =
        block.left + m / kTileRows * block.left_row_tile_bytes + m % kTileRows * kIntegerDepth;
    for (std::size_t n = 0; n < kPairColumns; ++n) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < block.depth_tiles * kIntegerDepth; ++k) {
        const std::size_t tile = k / kIntegerDepth;
        const std::size_t inside = k % kIntegerDepth;
        const auto weight =
            static_cast<std::int8_t>(block.right[tile * 2 * kPanelBytes + byte_of(inside, n)]);
        sum += row[tile * kTileRows * kIntegerDepth + inside] * weight;
      }
      block.out[m * kPairColumns + n] = sum;
    }
  }
}

}  // namespace vl2::integer_functions
