// SPDX-License-Identifier: MIT
#include "model/weight_loader.h"

#include <utility>

#include "base/aligned.h"

namespace vl2 {
namespace {

MatrixPart whole(const std::string& tensor, std::vector<std::size_t> shape) {
  const std::size_t rows = shape.front();
  return {tensor, std::move(shape), 0, rows};
}

}  // namespace

Weight WeightLoader::matrix(const MatrixSpec& spec) {
  held_bytes_ += spec.bytes(format_of(recipe(), spec.role));
  return source_.matrix(spec);
}

std::vector<float> WeightLoader::floats(const std::string& tensor,
                                        const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t size : shape) count *= size;
  held_bytes_ += count * sizeof(float);
  return source_.vector(tensor, shape);
}

std::vector<float> WeightLoader::vector(const std::string& name, std::size_t size) {
  return floats(name, {size});
}

Linear WeightLoader::linear(WeightRole role, const std::string& name, std::size_t columns,
                            std::size_t depth, bool bias) {
  const MatrixPart part = whole(name + ".weight", {columns, depth});
  Linear layer{matrix({name, role, MatrixKind::plain, columns, depth, {part}}), {}};
  if (bias) layer.bias = vector(name + ".bias", columns);
  return layer;
}

Linear WeightLoader::patch_embedding(const std::string& name, std::size_t columns,
                                     std::size_t channels, std::size_t size) {
  const MatrixPart part = whole(name + ".weight", {columns, channels, size, size});
  const std::size_t depth = channels * size * size;
  return {matrix({name, WeightRole::patch_embedding, MatrixKind::plain, columns, depth, {part}}),
          vector(name + ".bias", columns)};
}

Linear WeightLoader::head(const std::string& tensor, std::size_t columns, std::size_t depth) {
  const MatrixPart part = whole(tensor + ".weight", {columns, depth});
  return {matrix({"language.lm_head", WeightRole::head, MatrixKind::plain, columns, depth, {part}}),
          {}};
}

RmsNormWeights WeightLoader::rms_norm(const std::string& name, std::size_t width, float eps) {
  return {vector(name + ".weight", width), eps};
}

LayerNormWeights WeightLoader::layer_norm(const std::string& name, std::size_t width, float eps) {
  return {vector(name + ".weight", width), vector(name + ".bias", width), eps};
}

// The inner width is padded to whole panels: the padding's gate and up are zero, so it adds zero.
ExpertWeights WeightLoader::gated_stack(WeightRole role, const std::string& name,
                                        const std::vector<std::string>& mlps, std::size_t hidden,
                                        std::size_t inner) {
  const std::size_t padded = round_up(inner, kTileColumns);
  MatrixSpec gate_up{name + ".gate_up", role, MatrixKind::gated, 2 * padded, hidden, {}};
  MatrixSpec down{name + ".down", role, MatrixKind::plain, hidden, padded, {}};
  for (const std::string& mlp : mlps) {
    gate_up.parts.push_back(whole(mlp + ".gate_proj.weight", {inner, hidden}));
    gate_up.parts.push_back(whole(mlp + ".up_proj.weight", {inner, hidden}));
    down.parts.push_back(whole(mlp + ".down_proj.weight", {hidden, inner}));
  }
  Weight first = matrix(gate_up);
  return {std::move(first), matrix(down)};
}

GatedMlpWeights WeightLoader::gated_mlp(WeightRole role, const std::string& name,
                                        std::size_t hidden, std::size_t inner) {
  ExpertWeights one = gated_stack(role, name, {name}, hidden, inner);
  return {std::move(one.gate_up), std::move(one.down)};
}

ExpertWeights WeightLoader::experts(const std::string& name, std::size_t count, std::size_t hidden,
                                    std::size_t inner) {
  std::vector<std::string> mlps;
  for (std::size_t i = 0; i < count; ++i) mlps.push_back(name + "." + std::to_string(i));
  return gated_stack(WeightRole::routed_experts, name, mlps, hidden, inner);
}

EmbeddingTable WeightLoader::embedding(const std::string& name, std::size_t count,
                                       std::size_t width) {
  EmbeddingTable table = source_.embedding(name + ".weight", count, width);
  held_bytes_ += table.bf16.size_bytes() + table.f32.size_bytes();
  return table;
}

WeightLoader::LatentUp WeightLoader::latent_up(const std::string& name,
                                               const LatentUpShape& shape) {
  const std::size_t nope = shape.qk_nope_head_dim;
  const std::size_t rank = shape.kv_lora_rank;
  const std::size_t rows_each = nope + shape.v_head_dim;
  const WeightRole role = WeightRole::attention;
  MatrixSpec key{name + ".key", role, MatrixKind::transposed, rank, nope, {}};
  MatrixSpec value{name + ".value", role, MatrixKind::plain, shape.v_head_dim, rank, {}};
  MatrixPart part = whole(name + ".weight", {shape.heads * rows_each, rank});
  for (std::size_t head = 0; head < shape.heads; ++head) {
    part.first_row = head * rows_each;
    part.rows = nope;
    key.parts.push_back(part);
    part.first_row += nope;
    part.rows = shape.v_head_dim;
    value.parts.push_back(part);
  }
  Weight first = matrix(key);
  return {std::move(first), matrix(value)};
}

std::vector<float> WeightLoader::position_embedding(const std::string& name, std::size_t count,
                                                    std::size_t width) {
  return floats(name, {1, count, width});
}

}  // namespace vl2
