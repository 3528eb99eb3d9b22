// SPDX-License-Identifier: MIT
#include "model/matrix_packer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

#include "base/check.h"
#include "checkpoint/tensor_values.h"
#include "kernels/matmul/pack.h"

namespace vl2 {
namespace {

constexpr std::size_t kBytesAtOnce = std::size_t{24} << 20;

bool finite(const Bf16* row, std::size_t count) {
  constexpr unsigned kExponent = 0x7f80;
  bool all = true;
  for (std::size_t i = 0; i < count; ++i) all &= (row[i].bits & kExponent) != kExponent;
  return all;
}

bool finite(const float* row, std::size_t count) {
  return std::all_of(row, row + count, [](float value) { return std::isfinite(value); });
}

}  // namespace

const Bf16* MatrixPacker::Part::row(std::size_t i) const noexcept {
  return reinterpret_cast<const Bf16*>(tensor->bytes.data()) + (first_row + i) * width;
}

std::span<const std::uint8_t> MatrixPacker::Part::bytes_of(std::size_t first,
                                                           std::size_t count) const noexcept {
  const std::size_t row_bytes = tensor->bytes.size() / tensor->shape.front();
  return tensor->bytes.subspan((first_row + first) * row_bytes, count * row_bytes);
}

std::size_t MatrixPacker::Half::count() const noexcept {
  return first < part->rows ? std::min(kTileColumns, part->rows - first) : 0;
}

MatrixPacker::MatrixPacker(const MatrixSpec& spec, WeightFormat format, const TensorSource& source)
    : spec_(spec),
      format_(format),
      source_(source),
      pair_bytes_(pair_bytes_of(format, spec.depth)) {
  parts_.reserve(spec.parts.size());
  for (const MatrixPart& part : spec.parts) {
    const TensorView& tensor = source.tensor(part.tensor, part.shape);
    require_float_type(tensor);
    const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
    parts_.push_back({&tensor, part.first_row, part.rows, tensor.count() / tensor.shape.front(),
                      tensor.dtype == Dtype::bf16 && address % alignof(Bf16) == 0});
    VL2_CHECK(part.first_row + part.rows <= tensor.shape.front());
  }
}

std::size_t MatrixPacker::pairs_at_once() const noexcept {
  const std::size_t bytes = kPairColumns * spec_.depth * sizeof(Bf16);
  return std::max<std::size_t>(64, kBytesAtOnce / bytes);
}

std::size_t MatrixPacker::pack(std::size_t begin, std::size_t end, std::byte* out,
                               const ThreadTeam& team) const {
  std::atomic<bool> all_finite{true};
  for_rows(begin, end, [&](const RowRange& range) {
    source_.prefetch(range.part->bytes_of(range.first, range.count));
  });
  team.split(end - begin, 1, [&](std::size_t first, std::size_t last) {
    std::vector<float> room;
    for (std::size_t i = first; i < last; ++i)
      if (!pack_one(begin + i, room, out + i * pair_bytes_)) all_finite = false;
  });
  std::size_t bytes_read = 0;
  for_rows(begin, end, [&](const RowRange& range) {
    if (!all_finite) require_finite(*range.part->tensor);
    bytes_read += range.part->bytes_of(range.first, range.count).size();
  });
  source_.release();
  return bytes_read;
}

bool MatrixPacker::pack_one(std::size_t pair, std::vector<float>& room, std::byte* out) const {
  const std::size_t matrix = pair / spec_.pairs();
  const std::size_t in_matrix = pair % spec_.pairs();
  const std::size_t column = in_matrix * kPairColumns;
  switch (spec_.kind) {
    case MatrixKind::plain: {
      const Part* part = &parts_[matrix];
      return pack_halves({{part, column}, {part, column + kTileColumns}}, room, out);
    }
    case MatrixKind::gated: {
      const std::size_t first = in_matrix * kTileColumns;
      return pack_halves({{&parts_[2 * matrix], first}, {&parts_[2 * matrix + 1], first}}, room,
                         out);
    }
    case MatrixKind::transposed:
      return pack_transposed(parts_[matrix], column, room, out);
  }
  return false;
}

bool MatrixPacker::pack_halves(const Half (&halves)[2], std::vector<float>& room,
                               std::byte* out) const {
  const std::size_t width = halves[0].part->width;
  bool all_finite = true;
  if (halves[0].part->direct && halves[1].part->direct) {
    PairRows<Bf16> rows{};
    for (std::size_t half = 0; half < 2; ++half)
      for (std::size_t i = 0; i < halves[half].count(); ++i) {
        const Bf16* row = halves[half].part->row(halves[half].first + i);
        all_finite &= finite(row, width);
        rows[half * kTileColumns + i] = row;
      }
    pack_pair(format_, rows, width, out);
    return all_finite;
  }
  room.resize(kPairColumns * width);
  PairRows<float> rows{};
  for (std::size_t half = 0; half < 2; ++half) {
    const auto [part, first] = halves[half];
    const std::size_t count = halves[half].count();
    const auto values = std::span(room).subspan(half * kTileColumns * width, count * width);
    if (count == 0) continue;
    read_float_rows(*part->tensor, part->first_row + first, count, values);
    all_finite &= finite(values.data(), values.size());
    for (std::size_t i = 0; i < count; ++i)
      rows[half * kTileColumns + i] = values.data() + i * width;
  }
  pack_pair(format_, rows, width, out);
  return all_finite;
}

bool MatrixPacker::pack_transposed(const Part& part, std::size_t first, std::vector<float>& room,
                                   std::byte* out) const {
  const std::size_t columns = std::min(kPairColumns, part.width - first);
  const std::size_t depth = part.rows;
  room.resize(columns * depth + part.width);
  const auto row = std::span(room).last(part.width);
  for (std::size_t k = 0; k < depth; ++k) {
    read_float_rows(*part.tensor, part.first_row + k, 1, row);
    for (std::size_t n = 0; n < columns; ++n) room[n * depth + k] = row[first + n];
  }
  PairRows<float> rows{};
  for (std::size_t n = 0; n < columns; ++n) rows[n] = room.data() + n * depth;
  pack_pair(format_, rows, depth, out);
  return finite(room.data(), columns * depth);
}

void MatrixPacker::for_rows(std::size_t begin, std::size_t end,
                            const std::function<void(const RowRange&)>& f) const {
  const std::size_t pairs = spec_.pairs();
  for (std::size_t matrix = begin / pairs; matrix * pairs < end; ++matrix) {
    const std::size_t first = std::max(begin, matrix * pairs) - matrix * pairs;
    const std::size_t last = std::min(end, (matrix + 1) * pairs) - matrix * pairs;
    const auto tell = [&](const Part& part, std::size_t from, std::size_t to) {
      from = std::min(from, part.rows);
      to = std::min(to, part.rows);
      if (from < to) f({&part, from, to - from});
    };
    switch (spec_.kind) {
      case MatrixKind::plain:
        tell(parts_[matrix], first * kPairColumns, last * kPairColumns);
        break;
      case MatrixKind::gated:
        tell(parts_[2 * matrix], first * kTileColumns, last * kTileColumns);
        tell(parts_[2 * matrix + 1], first * kTileColumns, last * kTileColumns);
        break;
      case MatrixKind::transposed:
        // Every pair reads all rows; they count, and are given back, with the last one.
        if (last == pairs) tell(parts_[matrix], 0, parts_[matrix].rows);
        break;
    }
  }
}

}  // namespace vl2
