// SPDX-License-Identifier: MIT
// Any text as config.json and, after a zero byte, processor_config.json: refused with an Error, or
// the configuration keeps its promises.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vl2/error.h"

#include "checkpoint/model_config.h"
#include "checkpoint/model_size.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(text.find('\0'), size);
  const std::string_view processor = text.substr(std::min(cut + 1, size));
  try {
    const vl2::ModelConfig model = vl2::parse_model_config(text.substr(0, cut), processor, "fuzz");
    if (model.tokens_per_side() < 1) std::abort();
    if (model.tokens_per_side() != model.processor.tokens_per_side()) std::abort();
    if (vl2::model_size(model).total() >> 62 != 0) std::abort();
  } catch (const vl2::Error&) {
  }
  return 0;
}
