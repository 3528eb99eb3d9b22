// SPDX-License-Identifier: MIT
#include "model/weight_loader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "checkpoint/tensor_values.h"
#include "kernels/matmul/pack.h"

namespace vl2 {
namespace {

bool finite(const Bf16* row, std::size_t count) {
  constexpr unsigned kExponent = 0x7f80;
  bool all = true;
  for (std::size_t i = 0; i < count; ++i) all &= (row[i].bits & kExponent) != kExponent;
  return all;
}

bool finite(const float* row, std::size_t count) {
  return std::all_of(row, row + count, [](float value) { return std::isfinite(value); });
}

// Rows of one tensor, as pointers into the file where they lie there as bf16, else as floats
// converted 32 at a time.
class RowReader {
 public:
  explicit RowReader(const TensorView& tensor)
      : tensor_(tensor), width_(tensor.count() / tensor.shape.front()) {
    const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
    direct_ = tensor.dtype == Dtype::bf16 && address % alignof(Bf16) == 0;
  }

  bool direct() const noexcept { return direct_; }
  std::size_t count() const noexcept { return tensor_.shape.front(); }
  std::size_t width() const noexcept { return width_; }
  const Bf16* row(std::size_t i) const noexcept {
    return reinterpret_cast<const Bf16*>(tensor_.bytes.data()) + i * width_;
  }
  // Rows first .. first + n as floats, n <= 32; out holds 32 rows.
  void read(std::size_t first, std::size_t n, std::span<float> out) const {
    read_float_rows(tensor_, first, n, out.first(n * width_));
  }

 private:
  const TensorView& tensor_;
  std::size_t width_;
  bool direct_ = false;
};

// Half a pair: 16 columns that come from one tensor.
struct Half {
  const RowReader* rows;
  std::size_t first;
};

// Packs one pair from its two halves; false if a number is not finite.
bool pack_halves(WeightFormat format, const Half& left, const Half& right, std::byte* out) {
  const std::size_t width = left.rows->width();
  const Half halves[2] = {left, right};
  bool all_finite = true;
  const auto take = [&](auto& rows, const auto& at) {
    for (std::size_t half = 0; half < 2; ++half) {
      const Half& from = halves[half];
      const std::size_t end = std::min(from.first + kTileColumns, from.rows->count());
      for (std::size_t i = from.first; i < end; ++i) {
        const auto* row = at(half, i);
        all_finite &= finite(row, width);
        rows[half * kTileColumns + i - from.first] = row;
      }
    }
    pack_pair(format, rows, width, out);
  };
  if (left.rows->direct() && right.rows->direct()) {
    PairRows<Bf16> rows{};
    take(rows, [&](std::size_t half, std::size_t i) { return halves[half].rows->row(i); });
    return all_finite;
  }
  std::vector<float> values(kPairColumns * width);
  for (std::size_t half = 0; half < 2; ++half) {
    const Half& from = halves[half];
    if (from.first >= from.rows->count()) continue;
    const std::size_t n = std::min(kTileColumns, from.rows->count() - from.first);
    from.rows->read(from.first, n, std::span(values).subspan(half * kTileColumns * width));
  }
  PairRows<float> rows{};
  take(rows, [&](std::size_t half, std::size_t i) {
    return values.data() + (half * kTileColumns + i - halves[half].first) * width;
  });
  return all_finite;
}

}  // namespace

WeightLoader::WeightLoader(const TensorSource& source, Recipe recipe, const ThreadTeam& team,
                           Progress progress)
    : source_(source), recipe_(recipe), team_(team), progress_(std::move(progress)) {}

void WeightLoader::done(const TensorView& tensor) {
  bytes_ += tensor.bytes.size();
  if (progress_) progress_(bytes_);
}

Weight WeightLoader::make(WeightRole role, std::size_t columns, std::size_t depth,
                          std::size_t stack) {
  Weight weight(format_of(recipe_, role), columns, depth, stack);
  held_bytes_ += weight.total_bytes();
  return weight;
}

// The inner width is padded to whole panels: the padding's gate and up are zero, so it adds zero.
ExpertWeights WeightLoader::make_experts(WeightRole role, std::size_t count, std::size_t hidden,
                                         std::size_t inner) {
  const std::size_t padded = round_up(inner, kTileColumns);
  return {make(role, 2 * padded, hidden, count), make(role, hidden, padded, count)};
}

std::vector<float> WeightLoader::floats(const TensorView& tensor) {
  require_finite(tensor);
  std::vector<float> values(tensor.count());
  held_bytes_ += values.size() * sizeof(float);
  read_floats(tensor, values);
  done(tensor);
  return values;
}

void WeightLoader::pack(const TensorView& tensor, Weight& weight, std::size_t matrix) {
  // The second panel of a pair is the next 16 rows of the same tensor.
  const RowReader rows(tensor);
  std::atomic<bool> all_finite{true};
  team_.split(weight.pairs(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t pair = begin; pair < end; ++pair) {
      const std::size_t first = pair * kPairColumns;
      if (!pack_halves(weight.format(), {&rows, first}, {&rows, first + kTileColumns},
                       weight.mutable_pair(matrix, pair)))
        all_finite = false;
    }
  });
  if (!all_finite) require_finite(tensor);
  done(tensor);
}

void WeightLoader::pack_gate_up(const TensorView& gate, const TensorView& up, Weight& weight,
                                std::size_t matrix) {
  const RowReader gate_rows(gate);
  const RowReader up_rows(up);
  std::atomic<bool> all_finite{true};
  team_.split(weight.pairs(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t pair = begin; pair < end; ++pair) {
      const std::size_t first = pair * kTileColumns;
      if (!pack_halves(weight.format(), {&gate_rows, first}, {&up_rows, first},
                       weight.mutable_pair(matrix, pair)))
        all_finite = false;
    }
  });
  if (!all_finite) {
    require_finite(gate);
    require_finite(up);
  }
  done(gate);
  done(up);
}

bool WeightLoader::has(const std::string& name) const { return source_.has(name + ".weight"); }

std::vector<float> WeightLoader::vector(const std::string& name, std::size_t size) {
  return floats(source_.tensor(name, {size}));
}

Linear WeightLoader::linear(WeightRole role, const std::string& name, std::size_t columns,
                            std::size_t depth, bool bias) {
  Linear layer{make(role, columns, depth), {}};
  pack(source_.tensor(name + ".weight", {columns, depth}), layer.weight, 0);
  if (bias) layer.bias = vector(name + ".bias", columns);
  return layer;
}

Linear WeightLoader::patch_embedding(const std::string& name, std::size_t columns,
                                     std::size_t channels, std::size_t size) {
  Linear layer{make(WeightRole::patch_embedding, columns, channels * size * size), {}};
  pack(source_.tensor(name + ".weight", {columns, channels, size, size}), layer.weight, 0);
  layer.bias = vector(name + ".bias", columns);
  return layer;
}

RmsNormWeights WeightLoader::rms_norm(const std::string& name, std::size_t width, float eps) {
  return {vector(name + ".weight", width), eps};
}

LayerNormWeights WeightLoader::layer_norm(const std::string& name, std::size_t width, float eps) {
  return {vector(name + ".weight", width), vector(name + ".bias", width), eps};
}

void WeightLoader::pack_gated(const std::string& name, std::size_t inner, std::size_t matrix,
                              ExpertWeights& mlp) {
  const std::size_t hidden = mlp.down.columns();
  pack_gate_up(source_.tensor(name + ".gate_proj.weight", {inner, hidden}),
               source_.tensor(name + ".up_proj.weight", {inner, hidden}), mlp.gate_up, matrix);
  pack(source_.tensor(name + ".down_proj.weight", {hidden, inner}), mlp.down, matrix);
}

GatedMlpWeights WeightLoader::gated_mlp(WeightRole role, const std::string& name,
                                        std::size_t hidden, std::size_t inner) {
  ExpertWeights one = make_experts(role, 1, hidden, inner);
  pack_gated(name, inner, 0, one);
  return {one.gate_up, one.down};
}

ExpertWeights WeightLoader::experts(const std::string& name, std::size_t count, std::size_t hidden,
                                    std::size_t inner) {
  ExpertWeights experts = make_experts(WeightRole::routed_experts, count, hidden, inner);
  for (std::size_t i = 0; i < count; ++i)
    pack_gated(name + "." + std::to_string(i), inner, i, experts);
  return experts;
}

EmbeddingTable WeightLoader::embedding(const std::string& name, std::size_t count,
                                       std::size_t width) {
  const TensorView& tensor = source_.tensor(name + ".weight", {count, width});
  EmbeddingTable table{width, {}, {}};
  if (tensor.dtype != Dtype::bf16) {
    table.f32 = floats(tensor);
    return table;
  }
  require_finite(tensor);
  table.bf16.resize(tensor.count());
  held_bytes_ += tensor.bytes.size();
  std::copy(tensor.bytes.begin(), tensor.bytes.end(),
            reinterpret_cast<std::uint8_t*>(table.bf16.data()));
  done(tensor);
  return table;
}

WeightLoader::LatentUp WeightLoader::latent_up(const std::string& name,
                                               const LatentUpShape& shape) {
  const std::size_t nope = shape.qk_nope_head_dim;
  const std::size_t rank = shape.kv_lora_rank;
  const std::size_t rows_each = nope + shape.v_head_dim;
  const TensorView& tensor = source_.tensor(name + ".weight", {shape.heads * rows_each, rank});
  const std::vector<float> rows = floats(tensor);
  held_bytes_ -= rows.size() * sizeof(float);  // only read here
  LatentUp up{make(WeightRole::attention, rank, nope, shape.heads),
              make(WeightRole::attention, shape.v_head_dim, rank, shape.heads)};
  std::vector<float> transposed(rank * nope);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::span key = std::span(rows).subspan(head * rows_each * rank, nope * rank);
    for (std::size_t i = 0; i < nope; ++i)
      for (std::size_t j = 0; j < rank; ++j) transposed[j * nope + i] = key[i * rank + j];
    pack_matrix(std::span<const float>(transposed), up.key, head);
    pack_matrix(std::span(rows).subspan((head * rows_each + nope) * rank, shape.v_head_dim * rank),
                up.value, head);
  }
  return up;
}

std::vector<float> WeightLoader::position_embedding(const std::string& name, std::size_t count,
                                                    std::size_t width) {
  return floats(source_.tensor(name, {1, count, width}));
}

}  // namespace vl2
