// SPDX-License-Identifier: MIT
#include "model/packed_source.h"

#include <cstdint>

#include <fmt/format.h>

#include "vl2/error.h"

#include "checkpoint/packed_text.h"
#include "checkpoint/tensor_values.h"

namespace vl2 {
namespace {

constexpr std::size_t kAlignment = 64;

[[noreturn]] void fail(const TensorView& tensor, const std::string& what) {
  throw Error(ErrorCode::bad_checkpoint,
              fmt::format("{}: tensor {} {}; the folder is damaged or was not made by vl2 quantize",
                          tensor.file->string(), tensor.name, what));
}

// Of numbers that are read where they lie.
void require_aligned(const TensorView& tensor, std::size_t alignment) {
  if (reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignment != 0)
    fail(tensor, fmt::format("does not lie at a multiple of {} bytes", alignment));
}

}  // namespace

// vl2 quantize gives every model a head.
bool PackedSource::has_head(const std::string& /*tensor*/) const { return true; }

WeightFormat PackedSource::format_of_matrix(const TensorView& tensor,
                                            const MatrixSpec& spec) const {
  const std::string description = folder_.description_of(tensor);
  for (const WeightFormat format : kAllWeightFormats) {
    if (operand_of(format) != operand_of(recipe())) continue;
    if (description == packed_matrix_text(format, spec.columns, spec.depth, spec.stack()))
      return format;
  }
  fail(tensor, fmt::format("is \"{}\", config.json asks for columns {} depth {} stack {}",
                           description, spec.columns, spec.depth, spec.stack()));
}

Weight PackedSource::matrix(const MatrixSpec& spec) {
  const std::shared_ptr<const Checkpoint>& checkpoint = folder_.checkpoint();
  const TensorView& tensor = checkpoint->tensor(spec.name);
  const WeightFormat format = format_of_matrix(tensor, spec);
  if (tensor.dtype != Dtype::u8 || tensor.bytes.size() != spec.bytes(format))
    fail(tensor,
         fmt::format("has {} bytes instead of {}", tensor.bytes.size(), spec.bytes(format)));
  require_aligned(tensor, kAlignment);
  return {format,       spec.columns, spec.depth,
          spec.stack(), checkpoint,   reinterpret_cast<const std::byte*>(tensor.bytes.data())};
}

std::vector<float> PackedSource::vector(const std::string& name,
                                        const std::vector<std::size_t>& shape) {
  const TensorView& tensor = folder_.checkpoint()->expect(name, shape);
  std::vector<float> values(tensor.count());
  read_floats(tensor, values);
  return values;
}

EmbeddingTable PackedSource::embedding(const std::string& name, std::size_t count,
                                       std::size_t width) {
  const std::shared_ptr<const Checkpoint>& checkpoint = folder_.checkpoint();
  const std::size_t shape[] = {count, width};
  const TensorView& tensor = checkpoint->expect(name, shape);
  require_aligned(tensor, alignof(float));
  const void* numbers = tensor.bytes.data();
  if (tensor.dtype == Dtype::bf16)
    return {width, {static_cast<const Bf16*>(numbers), tensor.count()}, {}, checkpoint};
  if (tensor.dtype == Dtype::f32)
    return {width, {}, {static_cast<const float*>(numbers), tensor.count()}, checkpoint};
  fail(tensor, fmt::format("is {}, it must be BF16 or F32", to_string(tensor.dtype)));
}

}  // namespace vl2
