// SPDX-License-Identifier: MIT
// WebP, lossy, lossless or animated (first frame, on the canvas), through libwebp.
#include <memory>

#include <webp/decode.h>
#include <webp/demux.h>

#include "image/decode.h"

namespace vl2 {
namespace {

struct DecoderDeleter {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

}  // namespace

Image decode_webp(const EncodedImage& source) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(source.bytes.data(), source.bytes.size(), &features) != VP8_STATUS_OK)
    refuse(source, "its WebP header is broken or cut off");
  Image image = blank_image(source, static_cast<std::uint64_t>(features.width),
                            static_cast<std::uint64_t>(features.height));

  // Still pictures take the animation's way too: it checks that the file is whole.
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0)
    refuse(source, "the installed libwebp does not suit this program");
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;
  const WebPData data{source.bytes.data(), source.bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, DecoderDeleter> decoder(
      WebPAnimDecoderNew(&data, &options));
  if (!decoder) refuse(source, "the WebP file is truncated or broken");

  WebPAnimInfo info;
  std::uint8_t* rgba = nullptr;  // the decoder's own canvas
  int timestamp_ms = 0;
  if (WebPAnimDecoderGetInfo(decoder.get(), &info) == 0 ||
      WebPAnimDecoderGetNext(decoder.get(), &rgba, &timestamp_ms) == 0 || rgba == nullptr)
    refuse(source, "the WebP picture data is broken");
  if (info.canvas_width != static_cast<std::uint32_t>(image.width) ||
      info.canvas_height != static_cast<std::uint32_t>(image.height))
    refuse(source, "its WebP headers contradict each other");

  const std::size_t pixels = image.rgb.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {  // alpha is dropped: the hidden colour shows
    for (std::size_t c = 0; c < 3; ++c) image.rgb[3 * i + c] = rgba[4 * i + c];
  }
  return image;
}

}  // namespace vl2
