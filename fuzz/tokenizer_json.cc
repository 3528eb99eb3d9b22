// SPDX-License-Identifier: MIT
// Any bytes as tokenizer.json: either an Error, or a tokenizer that gives text back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vl2/error.h"

#include "text/tokenizer.h"

namespace {

constexpr const char* kConfig = R"({"bos_token": "<s>", "eos_token": "</s>"})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  try {
    const vl2::Tokenizer tokenizer = vl2::Tokenizer::parse({json, kConfig, "fuzz"});
    tokenizer.decode(tokenizer.encode("a b\xFF<s> 12\n<image>"));
  } catch (const vl2::Error&) {
  }
  return 0;
}
