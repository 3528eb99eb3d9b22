// SPDX-License-Identifier: MIT
// A picture of any size is either too thin or gives views of the sizes promised.
#include "image/tiling.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "vl2/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::array<std::uint16_t, 2> sides{};
  if (size < sizeof sides) return 0;
  std::memcpy(sides.data(), data, sizeof sides);
  const std::size_t pixels = std::size_t{sides[0]} * sides[1];
  if (pixels == 0 || pixels > 1 << 18) return 0;
  vl2::Image image{sides[0], sides[1], std::vector<std::uint8_t>(pixels * 3)};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = data[i % size];

  const vl2::TilingOptions options{.image_size = 28, .candidates = {{28, 28}, {56, 28}, {28, 84}}};
  try {
    const vl2::PreparedImage prepared = vl2::prepare_image(image, options);
    if (prepared.global_view.rgb.size() != 28 * 28 * 3) std::abort();
    std::vector<float> out(28 * 28 * 3);
    for (std::size_t tile = 0; tile < prepared.tile_count(); ++tile)
      vl2::write_tile_pixels(prepared, tile, 28, {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}, out);
  } catch (const vl2::Error& error) {
    if (error.code() != vl2::ErrorCode::bad_image) std::abort();
  }
  return 0;
}
