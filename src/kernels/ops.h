// SPDX-License-Identifier: MIT
// The operations a forward pass is written in. Each returns a view of memory in the step's arena.
// Shapes are asserted, not reported: they were checked once, when the weights were bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/kernel_set.h"
#include "kernels/matmul/epilogue.h"
#include "kernels/moe/experts.h"
#include "tensor/arena.h"
#include "tensor/packed.h"
#include "tensor/rows.h"
#include "tensor/weight.h"

namespace vl2 {

// A linear layer: y = x · Wᵀ (+ bias, [columns] or empty).
struct Linear {
  Weight weight;
  std::vector<float> bias;
  // x is rounded to 8 bits as well, row by row (kernels/integer). Of int8 weights only.
  bool integer_products = false;
};

struct LayerNormWeights {
  std::vector<float> weight;
  std::vector<float> bias;
  float eps = 1e-6F;
};

struct RmsNormWeights {
  std::vector<float> weight;
  float eps = 1e-6F;
};

// down(silu(gate x) * up x). gate_up as in ExpertWeights, stack of one.
struct GatedMlpWeights {
  Weight gate_up;
  Weight down;
};

// Rows of a table as the checkpoint has them, looked up by id.
struct EmbeddingTable {
  std::size_t width = 0;
  std::span<const Bf16> bf16;         // [ids][width]; empty if f32 is used
  std::span<const float> f32;         // [ids][width]; empty if bf16 is used
  std::shared_ptr<const void> owner;  // keeps the numbers alive
  std::size_t count() const noexcept { return (bf16.size() + f32.size()) / width; }
};

// Which pairs of numbers rotate together.
enum class RopePairing { half, adjacent };

// Cosines and sines of positions 0 .. positions - 1, [position][width / 2], already multiplied by
// yarn's attention factor where there is one. Built by the model from the configuration.
struct RopeTable {
  RopePairing pairing = RopePairing::adjacent;
  std::size_t width = 0;
  std::size_t positions = 0;
  std::vector<float> cosines;
  std::vector<float> sines;
};

// What an observer is told: a name ("layer_hidden", "final_hidden", ...), the layer or -1, and the
// rows. For goldens and debugging.
using Observer = std::function<void(std::string_view name, int layer, Rows rows)>;

// Cheap to copy; one caller at a time. Threads inside every operation.
class Ops {
 public:
  Ops(KernelSet kernels, ThreadTeam team, Arena& arena) noexcept
      : kernels_(kernels), team_(team), arena_(&arena) {}

  const KernelSet& kernels() const noexcept { return kernels_; }
  const ThreadTeam& team() const noexcept { return team_; }
  Arena& arena() const noexcept { return *arena_; }

  // Uninitialised rows for a caller to fill.
  Rows rows(std::size_t count, std::size_t width) const { return arena_->rows(count, width); }

  Rows embed(std::span<const std::int32_t> ids, const EmbeddingTable& table) const;
  Rows gather(Rows x, std::span<const std::uint32_t> rows) const;
  void copy(Rows from, Rows to) const;
  void add(Rows out, Rows x) const;
  // out[i] += table[i % table.count] (position embeddings of picture tiles).
  void add_repeated(Rows out, Rows table) const;

  // Rounds to the operand type in the order a matmul reads.
  Packed pack(Rows x) const;
  // A matrix a head.
  Packed pack(Heads x) const;
  Packed rms_norm(Rows x, const RmsNormWeights& weights) const;
  Packed layer_norm(Rows x, const LayerNormWeights& weights) const;
  void rms_norm_in_place(Rows x, const RmsNormWeights& weights) const;
  void layer_norm_in_place(Rows x, const LayerNormWeights& weights) const;
  // Rotates row i, or every head of row i, by the angles of positions[i].
  void rope(Rows x, std::span<const std::uint32_t> positions, const RopeTable& table) const;
  void rope(Heads x, std::span<const std::uint32_t> positions, const RopeTable& table) const;

  Rows linear(const Packed& x, const Linear& layer) const;
  // hidden += x · Wᵀ + bias.
  void add_linear(Rows hidden, const Packed& x, const Linear& layer) const;
  Packed linear_gelu(const Packed& x, const Linear& layer, Gelu gelu) const;
  // Matrix h of x with matrix h of the weight: [row][head][columns].
  Heads per_head(const Packed& x, const Weight& weight) const;
  // hidden += down(silu(gate x) * up x).
  void add_gated_mlp(Rows hidden, const Packed& x, const GatedMlpWeights& mlp) const;

  Routing route(const Packed& x, const Linear& router, const RouterRule& rule) const;
  void add_experts(Rows hidden, const Packed& x, const Routing& routing,
                   const ExpertWeights& experts) const;

  void append_latents(const LatentShape& shape, Rows latents, LayerPages pages,
                      std::span<const AttentionSpan> spans) const;
  Packed attend_latents(const LatentShape& shape, const LatentQuery& query, LayerPages pages,
                        std::span<const AttentionSpan> spans) const;
  void append_keys_values(const HeadShape& shape, Heads keys, Heads values, LayerPages pages,
                          std::span<const AttentionSpan> spans) const;
  Packed attend_plain(const HeadShape& shape, Heads query, LayerPages pages,
                      std::span<const AttentionSpan> spans) const;
  Packed attend_full(const HeadShape& shape, Rows qkv, std::size_t rows_each) const;

  // Tells the observer, if there is one.
  void observe(std::string_view name, int layer, Rows rows) const;
  bool observed() const noexcept { return observer_ != nullptr; }
  void set_observer(const Observer* observer) noexcept { observer_ = observer; }

 private:
  KernelSet kernels_;
  ThreadTeam team_;
  Arena* arena_;
  const Observer* observer_ = nullptr;
};

}  // namespace vl2
