// SPDX-License-Identifier: MIT
// Any text through a model's tokenizer: its tokens' bytes give it back, and streaming gives what
// decoding the whole gives. VL2_FUZZ_MODEL names another model folder than the bundled one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "text/stream_decoder.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vl2::Tokenizer tokenizer = [] {
    const char* folder = std::getenv("VL2_FUZZ_MODEL");
    return vl2::Tokenizer::load(folder != nullptr ? folder : VL2_MODELS "/vl2-nano");
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto ids = tokenizer.encode(text);
  std::string bytes;
  std::string streamed;
  vl2::StreamDecoder decoder(tokenizer);
  for (const std::int32_t id : ids) {
    bytes += tokenizer.bytes(id);
    streamed += decoder.push(id);
  }
  streamed += decoder.flush();
  if (bytes != text || streamed != tokenizer.decode(ids)) std::abort();
  return 0;
}
