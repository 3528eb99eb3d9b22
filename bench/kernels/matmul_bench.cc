// SPDX-License-Identifier: MIT
// Matmuls and experts of the shapes that docs/kernels.md speaks of.
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/kernel_set.h"
#include "kernels/machine.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/pack.h"
#include "kernels/moe/experts.h"
#include "tensor/arena.h"

namespace vl2 {
namespace {

// Random numbers: products of zeros can be faster.
void fill_numbers(std::byte* to, std::size_t bytes, Operand operand) {
  // A small random table, repeated: the values matter little, that they are no zeros does.
  std::vector<float> table(4096);
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<float>(random_unit(1, i) - 0.5);
  std::vector<Bf16> rounded(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) rounded[i] = to_bf16(table[i]);
  const auto* source = operand == Operand::f32 ? reinterpret_cast<const std::byte*>(table.data())
                                               : reinterpret_cast<const std::byte*>(rounded.data());
  const std::size_t length = table.size() * bytes_of(operand);
  for (std::size_t at = 0; at < bytes; at += length)
    std::memcpy(to + at, source, std::min(length, bytes - at));
}

// Any bits are valid codes and scales; multipliers keep the sums small.
void fill_quantized(Weight& weight) {
  const std::size_t offset = multipliers_offset(weight.format(), weight.depth());
  for (std::size_t pair = 0; pair < weight.stack() * weight.pairs(); ++pair) {
    std::byte* to = weight.mutable_pair(0, 0) + pair * weight.pair_bytes();
    for (std::size_t at = 0; at < offset; at += sizeof(std::uint64_t)) {
      const std::uint64_t bits = random_bits(2, at);
      std::memcpy(to + at, &bits, sizeof(bits));
    }
    auto* multipliers = reinterpret_cast<float*>(to + offset);
    std::fill(multipliers, multipliers + kPairColumns, 0x1p-10F);
  }
}

Weight random_weight(WeightFormat format, std::size_t columns, std::size_t depth,
                     std::size_t stack = 1) {
  Weight weight(format, columns, depth, stack);
  if (is_quantized(format))
    fill_quantized(weight);
  else
    fill_numbers(weight.mutable_pair(0, 0), weight.total_bytes(), operand_of(format));
  return weight;
}

struct Setting {
  Isa isa;
  WeightFormat format;
  int threads;

  std::string name() const {
    return std::string(to_string(isa)) + "/" + std::string(to_string(format)) +
           "/threads:" + std::to_string(threads);
  }
  Operand operand() const { return operand_of(format); }
  KernelSet kernels() const { return KernelSet::of(isa, operand()); }
};

struct Shape {
  std::size_t rows;
  std::size_t depth;
  std::size_t columns;
};

// Few rows wait for weights, which must come from memory: matrices take turns, so many that none is
// still in a cache when its turn comes again.
std::vector<Weight> weights_of(WeightFormat format, const Shape& shape) {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  std::vector<Weight> weights = {random_weight(format, shape.columns, shape.depth)};
  const std::size_t count = tiles_of(kBytes, weights[0].total_bytes());
  while (shape.rows <= 32 && weights.size() < count)
    weights.push_back(random_weight(format, shape.columns, shape.depth));
  return weights;
}

void bench_matmul(benchmark::State& state, Setting setting, Shape shape) {
  Arena arena;
  const Packed x = arena.packed(setting.operand(), shape.rows, shape.depth);
  fill_numbers(x.tiles, x.total_bytes(), setting.operand());
  const std::vector<Weight> weights = weights_of(setting.format, shape);
  const Rows out = arena.rows(shape.rows, shape.columns);
  const ThreadTeam team(setting.threads);
  std::size_t turn = 0;
  for (auto _ : state)
    matmul(setting.kernels(), team, x, weights[turn++ % weights.size()], StoreRows{out});
  if (shape.rows <= 16)
    count_bytes(state, static_cast<double>(weights[0].total_bytes()), setting.threads);
  else
    count_flops(state, 2.0 * static_cast<double>(shape.rows * shape.depth * shape.columns),
                setting.isa, setting.operand(), setting.threads);
}

// The kernel alone: 32 rows and a few pairs of panels that stay in the second-level cache.
void bench_block(benchmark::State& state, Setting setting) {
  constexpr Shape kShape{32, 1280, 96};
  Arena arena;
  const Packed x = arena.packed(setting.operand(), kShape.rows, kShape.depth);
  fill_numbers(x.tiles, x.total_bytes(), setting.operand());
  const Weight weight = random_weight(setting.format, kShape.columns, kShape.depth);
  alignas(64) float sums[kBlockRows * kPairColumns];
  const FlushDenormals flush;
  const MatmulKernel& kernel = *setting.kernels().matmul;
  kernel.configure(kTileRows);
  for ([[maybe_unused]] auto _ : state)
    for (std::size_t pair = 0; pair < weight.pairs(); ++pair)
      kernel.run({.left = x.tiles,
                  .left_row_tile_bytes = x.row_tile_bytes(),
                  .right = weight.pair(0, pair),
                  .depth_tiles = x.depth_tiles(),
                  .rows = kShape.rows,
                  .out = sums});
  kernel.release();
  count_flops(state, 2.0 * static_cast<double>(kShape.rows * kShape.depth * kShape.columns),
              setting.isa, setting.operand(), 1);
}

// DeepSeek-VL2-Tiny: 64 experts, 6 a token. The weights are shared by all runs of a format: up to
// 440 MB.
const ExpertWeights& tiny_experts(WeightFormat format) {
  static std::map<WeightFormat, ExpertWeights> known;
  ExpertWeights& experts = known[format];
  if (experts.down.empty())
    experts = {random_weight(format, 2 * 896, 1280, 64), random_weight(format, 1280, 896, 64)};
  return experts;
}

void bench_experts(benchmark::State& state, Setting setting, std::size_t tokens) {
  constexpr std::size_t kTopK = 6;
  const ExpertWeights& experts = tiny_experts(setting.format);
  Arena arena;
  const Packed x = arena.packed(Operand::bf16, tokens, 1280);
  fill_numbers(x.tiles, x.total_bytes(), Operand::bf16);
  const Rows out = arena.rows(tokens, 1280);
  std::memset(out.data, 0, tokens * 1280 * sizeof(float));
  std::vector<float> factors(tokens * kTopK, 1.0F / kTopK);
  std::vector<std::uint32_t> chosen(tokens * kTopK);
  const ThreadTeam team(setting.threads);
  std::uint64_t step = 0;
  for (auto _ : state) {  // other experts each time, as when text is generated
    state.PauseTiming();
    ++step;
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t rank = 0; rank < kTopK; ++rank)
        chosen[t * kTopK + rank] = static_cast<std::uint32_t>(
            (random_bits(step, t) % 64 + rank * (1 + 2 * (random_bits(step, t + tokens) % 31))) %
            64);
    state.ResumeTiming();
    add_experts(setting.kernels(), team, arena, out, {x, {kTopK, chosen, factors}}, experts);
  }
  const double weights = 3.0 * 1280 * 896;
  const double rows = static_cast<double>(tokens * kTopK);
  if (tokens == 1)
    count_bytes(
        state,
        rows * weights / kTileNumbers * static_cast<double>(step_bytes_of(setting.format)) / 2.0,
        setting.threads);
  else
    count_flops(state, 2.0 * rows * weights, setting.isa, setting.operand(), setting.threads);
}

// One thread, from bf16 to a format: GB/s of bf16.
void bench_pack(benchmark::State& state, WeightFormat format) {
  constexpr std::size_t kColumns = 256;
  constexpr std::size_t kDepth = 1280;
  std::vector<Bf16> source(kColumns * kDepth);
  for (std::size_t i = 0; i < source.size(); ++i)
    source[i] = to_bf16(static_cast<float>(random_unit(3, i) + random_unit(4, i) - 1.0));
  Weight weight(format, kColumns, kDepth);
  for ([[maybe_unused]] auto _ : state) pack_matrix(std::span<const Bf16>(source), weight);
  count_bytes(state, static_cast<double>(source.size() * sizeof(Bf16)), 1);
}

const bool kRegistered = [] {
  const auto add = [](const std::string& name, auto f, auto... arguments) {
    benchmark::RegisterBenchmark(name.c_str(), f, arguments...)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  };
  constexpr Shape kShapes[] = {
      {2048, 1280, 1792}, {729, 1152, 4304}, {729, 4304, 1152}, {192, 1280, 896}, {512, 2048, 2816},
      {1, 1280, 32768},   {1, 2048, 32768},  {2, 1280, 32768},  {4, 1280, 32768}, {8, 1280, 32768},
      {16, 1280, 32768},  {32, 1280, 32768}, {64, 1280, 4096}};
  for (const Isa isa : cpu_isas()) {
    if (isa == Isa::portable) continue;
    for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::f32})
      add("block/" + Setting{isa, format, 1}.name(), bench_block, Setting{isa, format, 1});
    for (const int threads : thread_counts())
      for (const WeightFormat format :
           {WeightFormat::bf16, WeightFormat::int8, WeightFormat::int4}) {
        const Setting setting{isa, format, threads};
        for (const Shape& shape : kShapes)
          add("matmul/" + setting.name() + "/" + std::to_string(shape.rows) + "x" +
                  std::to_string(shape.depth) + "x" + std::to_string(shape.columns),
              bench_matmul, setting, shape);
        for (const std::size_t tokens : {1U, 16U, 192U, 2048U})
          add("experts/" + setting.name() + "/tokens:" + std::to_string(tokens), bench_experts,
              setting, tokens);
      }
  }
  for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::int8, WeightFormat::int4})
    add("pack/" + std::string(to_string(format)), bench_pack, format);
  return true;
}();

}  // namespace
}  // namespace vl2
