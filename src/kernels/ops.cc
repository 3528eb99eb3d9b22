// SPDX-License-Identifier: MIT
#include "kernels/ops.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/integer/integer_matmul.h"
#include "kernels/matmul/matmul.h"

namespace vl2 {
namespace {

// How many rows are worth waking another thread for: some microseconds of work.
std::size_t rows_worth_a_thread(std::size_t width) {
  constexpr std::size_t kNumbers = 8192;
  return std::max<std::size_t>(1, kNumbers / std::max<std::size_t>(1, width));
}

template <class F>
void split_rows(const ThreadTeam& team, std::size_t count, std::size_t width, F&& f) {
  team.split(count, rows_worth_a_thread(width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) f(i);
  });
}

// The rows of the last tile that no row of the matrices fills. In a tile they are contiguous.
void zero_padding_rows(const Packed& packed) {
  const std::size_t used = packed.count % kTileRows;
  if (used == 0) return;
  const std::size_t bytes = (kTileRows - used) * kTileDepth * bytes_of(packed.operand);
  for (std::size_t i = 0; i < packed.stack; ++i)
    for (std::size_t tile = 0; tile < packed.depth_tiles(); ++tile)
      std::memset(packed.line(i, packed.count, tile * kTileDepth), 0, bytes);
}

// Packs f(i, room) for every row i, where f writes the row into `room`, which each thread has for
// itself.
template <class F>
Packed pack_made_rows(const Ops& op, std::size_t count, std::size_t width, F&& f) {
  const KernelSet& kernels = op.kernels();
  const Packed out = op.arena().packed(kernels.operand, count, width);
  const ScratchScope scope(op.arena());
  const auto threads_at_most = static_cast<std::size_t>(op.team().size());
  // Cache lines of different threads' rooms do not touch.
  const Rows rooms = op.arena().rows(threads_at_most, round_up(width, kTileDepth));
  const std::size_t unit = rows_worth_a_thread(width);
  const auto work = [&](std::size_t thread, std::size_t threads) {
    const Share share = share_of(count, thread, threads, unit);
    for (std::size_t i = share.begin; i < share.end; ++i) {
      f(i, rooms.row(thread));
      kernels.rowwise->pack_row(rooms.row(thread), width, kernels.operand, out.line(0, i, 0));
    }
  };
  if (count <= unit)
    work(0, 1);
  else
    op.team().run(work);
  zero_padding_rows(out);
  return out;
}

const float* bias_of(const Linear& layer) {
  VL2_ASSERT(layer.bias.empty() || layer.bias.size() == layer.weight.columns());
  return layer.bias.empty() ? nullptr : layer.bias.data();
}

void multiply(const Ops& op, const Packed& x, const Weight& weight, const Epilogue& epilogue) {
  VL2_ASSERT(x.stack == 1 && weight.stack() == 1 && x.width == weight.depth());
  if (x.count > 0) matmul(op.kernels(), op.team(), x, weight, epilogue);
}

void multiply(const Ops& op, const Packed& x, const Linear& layer, const Epilogue& epilogue) {
  if (!layer.integer_products) return multiply(op, x, layer.weight, epilogue);
  const ScratchScope scratch(op.arena());
  const IntegerRows rows = quantize_rows(op.kernels(), op.team(), x, op.arena());
  integer_matmul(op.kernels(), op.team(), rows, layer.weight, epilogue);
}

}  // namespace

Rows Ops::embed(std::span<const std::int32_t> ids, const EmbeddingTable& table) const {
  const Rows out = rows(ids.size(), table.width);
  split_rows(team_, out.count, out.width, [&](std::size_t i) {
    const auto id = static_cast<std::size_t>(ids[i]);
    VL2_CHECK(id < table.count());
    if (table.f32.empty())
      kernels_.rowwise->widen(table.bf16.data() + id * table.width, table.width, out.row(i));
    else
      std::copy_n(table.f32.data() + id * table.width, table.width, out.row(i));
  });
  return out;
}

Rows Ops::gather(Rows x, std::span<const std::uint32_t> rows_wanted) const {
  const Rows out = rows(rows_wanted.size(), x.width);
  split_rows(team_, out.count, out.width, [&](std::size_t i) {
    VL2_ASSERT(rows_wanted[i] < x.count);
    std::copy_n(x.row(rows_wanted[i]), x.width, out.row(i));
  });
  return out;
}

void Ops::copy(Rows from, Rows to) const {
  VL2_ASSERT(from.count == to.count && from.width == to.width);
  split_rows(team_, to.count, to.width,
             [&](std::size_t i) { std::copy_n(from.row(i), from.width, to.row(i)); });
}

void Ops::add(Rows out, Rows x) const {
  VL2_ASSERT(out.count == x.count && out.width == x.width);
  split_rows(team_, out.count, out.width,
             [&](std::size_t i) { kernels_.rowwise->add(out.row(i), x.row(i), out.width); });
}

void Ops::add_repeated(Rows out, Rows table) const {
  VL2_ASSERT(out.width == table.width && table.count > 0);
  split_rows(team_, out.count, out.width, [&](std::size_t i) {
    kernels_.rowwise->add(out.row(i), table.row(i % table.count), out.width);
  });
}

Packed Ops::pack(Rows x) const {
  // One head as wide as the row.
  return pack(Heads{x.data, x.count, 1, x.width, x.stride, x.width});
}

Packed Ops::pack(Heads x) const {
  const Packed out = arena_->packed(kernels_.operand, x.tokens, x.width, x.heads);
  split_rows(team_, x.tokens, x.heads * x.width, [&](std::size_t i) {
    for (std::size_t head = 0; head < x.heads; ++head)
      kernels_.rowwise->pack_row(x.at(i, head), x.width, out.operand, out.line(head, i, 0));
  });
  zero_padding_rows(out);
  return out;
}

Packed Ops::rms_norm(Rows x, const RmsNormWeights& weights) const {
  VL2_ASSERT(weights.weight.size() == x.width);
  return pack_made_rows(*this, x.count, x.width, [&](std::size_t i, float* room) {
    kernels_.rowwise->rms_norm(x.row(i), weights.weight.data(), x.width, weights.eps, room);
  });
}

Packed Ops::layer_norm(Rows x, const LayerNormWeights& weights) const {
  VL2_ASSERT(weights.weight.size() == x.width && weights.bias.size() == x.width);
  return pack_made_rows(*this, x.count, x.width, [&](std::size_t i, float* room) {
    kernels_.rowwise->layer_norm(x.row(i), weights.weight.data(), weights.bias.data(), x.width,
                                 weights.eps, room);
  });
}

void Ops::rms_norm_in_place(Rows x, const RmsNormWeights& weights) const {
  VL2_ASSERT(weights.weight.size() == x.width);
  split_rows(team_, x.count, x.width, [&](std::size_t i) {
    kernels_.rowwise->rms_norm(x.row(i), weights.weight.data(), x.width, weights.eps, x.row(i));
  });
}

void Ops::layer_norm_in_place(Rows x, const LayerNormWeights& weights) const {
  VL2_ASSERT(weights.weight.size() == x.width && weights.bias.size() == x.width);
  split_rows(team_, x.count, x.width, [&](std::size_t i) {
    kernels_.rowwise->layer_norm(x.row(i), weights.weight.data(), weights.bias.data(), x.width,
                                 weights.eps, x.row(i));
  });
}

void Ops::rope(Rows x, std::span<const std::uint32_t> positions, const RopeTable& table) const {
  rope(Heads{x.data, x.count, 1, x.width, x.stride, x.width}, positions, table);
}

void Ops::rope(Heads x, std::span<const std::uint32_t> positions, const RopeTable& table) const {
  VL2_ASSERT(positions.size() == x.tokens && table.width == x.width);
  const auto rotate = table.pairing == RopePairing::half ? kernels_.rowwise->rope_half
                                                         : kernels_.rowwise->rope_adjacent;
  const std::size_t angles = table.width / 2;
  split_rows(team_, x.tokens, x.heads * x.width, [&](std::size_t i) {
    VL2_CHECK(positions[i] < table.positions);
    const std::size_t first = positions[i] * angles;
    for (std::size_t head = 0; head < x.heads; ++head)
      rotate(x.at(i, head), x.width, table.cosines.data() + first, table.sines.data() + first);
  });
}

Rows Ops::linear(const Packed& x, const Linear& layer) const {
  const Rows out = rows(x.count, layer.weight.columns());
  multiply(*this, x, layer, StoreRows{out, bias_of(layer)});
  return out;
}

void Ops::add_linear(Rows hidden, const Packed& x, const Linear& layer) const {
  VL2_ASSERT(hidden.count == x.count && hidden.width == layer.weight.columns());
  multiply(*this, x, layer, StoreRows{hidden, bias_of(layer), true});
}

Packed Ops::linear_gelu(const Packed& x, const Linear& layer, Gelu gelu) const {
  const Packed out = arena_->packed(kernels_.operand, x.count, layer.weight.columns());
  multiply(*this, x, layer, StoreGelu{out, bias_of(layer), gelu});
  return out;
}

Heads Ops::per_head(const Packed& x, const Weight& weight) const {
  VL2_ASSERT(x.stack == weight.stack() && x.width == weight.depth());
  const Heads out = rows(x.count, x.stack * weight.columns()).heads(x.stack);
  if (x.count == 0) return out;
  std::vector<Epilogue> epilogues;
  epilogues.reserve(x.stack);
  for (std::size_t head = 0; head < x.stack; ++head)
    epilogues.emplace_back(StoreRows{out.head(head)});
  matmul_stack(kernels_, team_, x, weight, epilogues);
  return out;
}

void Ops::add_gated_mlp(Rows hidden, const Packed& x, const GatedMlpWeights& mlp) const {
  VL2_ASSERT(hidden.count == x.count && hidden.width == mlp.down.columns());
  const ScratchScope scope(*arena_);
  const Packed inner = arena_->packed(kernels_.operand, x.count, mlp.down.depth());
  multiply(*this, x, mlp.gate_up, StoreGated{inner});
  multiply(*this, inner, mlp.down, StoreRows{hidden, nullptr, true});
}

Routing Ops::route(const Packed& x, const Linear& router, const RouterRule& rule) const {
  return vl2::route(kernels_, team_, rule, linear(x, router), *arena_);
}

void Ops::add_experts(Rows hidden, const Packed& x, const Routing& routing,
                      const ExpertWeights& experts) const {
  if (x.count > 0) vl2::add_experts(kernels_, team_, *arena_, hidden, {x, routing}, experts);
}

void Ops::append_latents(const LatentShape& shape, Rows latents, LayerPages pages,
                         std::span<const AttentionSpan> spans) const {
  vl2::append_latents(kernels_, team_, shape, latents, {pages, spans});
}

Packed Ops::attend_latents(const LatentShape& shape, const LatentQuery& query, LayerPages pages,
                           std::span<const AttentionSpan> spans) const {
  return vl2::attend_latents(kernels_, team_, *arena_, shape, query, {pages, spans});
}

void Ops::append_keys_values(const HeadShape& shape, Heads keys, Heads values, LayerPages pages,
                             std::span<const AttentionSpan> spans) const {
  vl2::append_keys_values(kernels_, team_, shape, keys, values, {pages, spans});
}

Packed Ops::attend_plain(const HeadShape& shape, Heads query, LayerPages pages,
                         std::span<const AttentionSpan> spans) const {
  return vl2::attend_plain(kernels_, team_, *arena_, shape, query, {pages, spans});
}

Packed Ops::attend_full(const HeadShape& shape, Rows qkv, std::size_t rows_each) const {
  return vl2::attend_full(kernels_, team_, *arena_, shape, qkv, rows_each);
}

void Ops::observe(std::string_view name, int layer, Rows rows) const {
  if (observer_ != nullptr) (*observer_)(name, layer, rows);
}

}  // namespace vl2
