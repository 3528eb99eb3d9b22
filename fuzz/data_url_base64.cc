// SPDX-License-Identifier: MIT
// Any text as the URL of a picture: refused with an ApiError that names the part, or a picture
// within the limits. Base64 that is taken is the one way to write its bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../tests/server/encode_base64.h"
#include "server/api_error.h"
#include "server/base64.h"
#include "server/picture_source.h"

namespace {

constexpr std::size_t kMostPixels = 100'000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = vl2::decode_base64(text)) {
    const std::string_view decoded(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    if (vl2::test::encode_base64(decoded) != text) std::abort();
  }
  const vl2::PicturePolicy policy{.most_bytes = 1 << 16, .most_pixels = kMostPixels};
  for (const std::string& url :
       {std::string(text), "data:image/png;base64," + vl2::test::encode_base64(text)}) {
    try {
      const vl2::Image image = vl2::PictureReader(policy).read({url, "part"});
      if (image.rgb.empty() || image.rgb.size() / 3 > kMostPixels) std::abort();
    } catch (const vl2::ApiError& error) {
      if (error.status() != 400 || error.details().param != "part") std::abort();
    }
  }
  return 0;
}
