// SPDX-License-Identifier: MIT
// Any bytes as a safetensors file: refused with an Error, or every view lies inside the input.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "vl2/error.h"

#include "checkpoint/safetensors.h"
#include "checkpoint/tensor_values.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path file = "fuzz.safetensors";
  try {
    for (const vl2::TensorView& tensor : vl2::parse_safetensors({data, size}, file).tensors) {
      if (tensor.count() * vl2::bits_of(tensor.dtype) != tensor.bytes.size() * 8) std::abort();
      std::vector<float> numbers(tensor.count());
      if (tensor.dtype <= vl2::Dtype::f16) vl2::read_floats(tensor, numbers);
    }
  } catch (const vl2::Error&) {
  }
  return 0;
}
