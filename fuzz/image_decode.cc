// SPDX-License-Identifier: MIT
// Any bytes either decode to a picture whose sizes agree or are refused as a bad picture.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "vl2/error.h"
#include "vl2/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxPixels = 1 << 20;
  try {
    const vl2::Image image = vl2::decode_image({data, size}, "fuzzed", {kMaxPixels});
    const auto pixels =
        static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
    if (pixels == 0 || pixels > kMaxPixels || image.rgb.size() != pixels * 3) std::abort();
  } catch (const vl2::Error& error) {
    if (error.code() != vl2::ErrorCode::bad_image) std::abort();
  }
  return 0;
}
