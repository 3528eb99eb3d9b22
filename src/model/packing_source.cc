// SPDX-License-Identifier: MIT
#include "model/packing_source.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/aligned.h"
#include "checkpoint/tensor_values.h"
#include "model/matrix_packer.h"

namespace vl2 {

PackingSource::PackingSource(const TensorSource& source, Recipe recipe, const ThreadTeam& team,
                             Progress progress)
    : source_(source), recipe_(recipe), team_(team), progress_(std::move(progress)) {}

void PackingSource::done(std::size_t bytes) {
  bytes_ += bytes;
  if (progress_) progress_(bytes_);
}

Weight PackingSource::matrix(const MatrixSpec& spec) {
  const WeightFormat format = format_of(recipe_, spec.role);
  const MatrixPacker packer(spec, format, source_);
  Weight weight(format, spec.columns, spec.depth, spec.stack());
  const std::size_t count = packer.pair_count();
  for (std::size_t begin = 0; begin < count; begin += packer.pairs_at_once()) {
    const std::size_t end = std::min(count, begin + packer.pairs_at_once());
    done(packer.pack(begin, end, weight.mutable_pair(0, begin), team_));
  }
  return weight;
}

std::vector<float> PackingSource::vector(const std::string& name,
                                         const std::vector<std::size_t>& shape) {
  const TensorView& tensor = source_.tensor(name, shape);
  require_finite(tensor);
  std::vector<float> values(tensor.count());
  read_floats(tensor, values);
  source_.release();
  done(tensor.bytes.size());
  return values;
}

EmbeddingTable PackingSource::embedding(const std::string& name, std::size_t count,
                                        std::size_t width) {
  const TensorView& tensor = source_.tensor(name, {count, width});
  require_float_type(tensor);
  const bool is_bf16 = tensor.dtype == Dtype::bf16;
  const std::size_t row_bytes = tensor.bytes.size() / count;
  const auto table =
      std::make_shared<AlignedBuffer>(count * width * (is_bf16 ? sizeof(Bf16) : sizeof(float)));
  const std::size_t rows_at_once = std::max<std::size_t>(1, (std::size_t{16} << 20) / row_bytes);
  for (std::size_t first = 0; first < count; first += rows_at_once) {
    const std::size_t rows = std::min(rows_at_once, count - first);
    const auto bytes = tensor.bytes.subspan(first * row_bytes, rows * row_bytes);
    require_finite({tensor.name, tensor.dtype, {rows, width}, bytes, tensor.file});
    if (is_bf16)
      std::memcpy(table->data() + first * row_bytes, bytes.data(), bytes.size());
    else
      read_float_rows(tensor, first, rows, table->as<float>().subspan(first * width, rows * width));
    source_.release();
    done(bytes.size());
  }
  if (is_bf16) return {width, table->as<const Bf16>(), {}, table};
  return {width, {}, table->as<const float>(), table};
}

}  // namespace vl2
