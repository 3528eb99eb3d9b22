// SPDX-License-Identifier: MIT
// Attention of the shapes of DeepSeek-VL2: a token after a long context (keys and values come from
// memory, so many layers take turns), a prompt, and the vision tower with its stages.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/attention_kernel.h"
#include "kernels/machine.h"

namespace vl2 {
namespace {

struct Setting {
  Isa isa;
  Operand operand;
  int threads;

  std::string name() const {
    return std::string(to_string(isa)) + (operand == Operand::f32 ? "/f32" : "/bf16") +
           "/threads:" + std::to_string(threads);
  }
  KernelSet kernels() const { return KernelSet::of(isa, operand); }
  ThreadTeam team() const { return ThreadTeam(threads); }
};

std::vector<float> random_numbers(std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = static_cast<float>(random_unit(1, i) * 2.0 - 1.0);
  return numbers;
}

float scale_of(std::size_t width) { return 1.0F / std::sqrt(static_cast<float>(width)); }

// The pages of many layers, each of which holds one sequence.
class Cache {
 public:
  Cache(std::size_t keys, std::size_t layers, std::size_t page_bytes)
      : page_bytes_(page_bytes), table_(tiles_of(keys, kPageTokens)), layers_(layers) {
    std::iota(table_.begin(), table_.end(), std::uint32_t{0});
    pool_ = AlignedBuffer(layers * layer_bytes());
  }
  std::size_t layer_bytes() const { return table_.size() * page_bytes_; }
  std::size_t layers() const { return layers_; }
  LayerPages layer(std::size_t i) {
    return {pool_.data() + i % layers_ * layer_bytes(), page_bytes_};
  }
  AttentionSpan span(std::size_t first, std::size_t count) const {
    return {0, count, first, table_};
  }

 private:
  std::size_t page_bytes_;
  std::vector<std::uint32_t> table_;
  std::size_t layers_;
  AlignedBuffer pool_;
};

// More than any last-level cache holds, unless one layer is asked for.
std::size_t cold_layers(std::size_t keys, std::size_t page_bytes) {
  constexpr std::size_t kColdBytes = std::size_t{512} << 20;
  return kColdBytes / (tiles_of(keys, kPageTokens) * page_bytes) + 1;
}

struct Latent {
  std::size_t heads, rank, rope;
  std::size_t width() const { return rank + rope; }
  LatentShape shape() const { return {heads, rank, rope, scale_of(width())}; }
  // Of one query over one key.
  double flops() const { return 2.0 * static_cast<double>(heads * (width() + rank)); }
};

struct Plain {
  std::size_t heads, head_dim;
  HeadShape shape() const { return {heads, heads, head_dim, scale_of(head_dim)}; }
  double flops() const { return 4.0 * static_cast<double>(heads * head_dim); }
};

// Queries first .. first + count - 1 of a sequence.
struct Work {
  std::size_t first;
  std::size_t count;
  std::size_t keys() const { return first + count; }
  // Pairs of a query and a key that it sees.
  double pairs() const {
    return static_cast<double>(count) * (static_cast<double>(first + keys() + 1) / 2.0);
  }
};

void count(benchmark::State& state, const Setting& setting, const Work& work, double flops,
           double bytes) {
  if (work.count == 1) count_bytes(state, bytes, setting.threads);
  count_flops(state, flops * work.pairs(), setting.isa, setting.operand, setting.threads);
}

void bench_latent(benchmark::State& state, Setting setting, Latent latent, Work work) {
  const KernelSet kernels = setting.kernels();
  const std::size_t page_bytes = latent_page_bytes(latent.shape(), setting.operand);
  Cache cache(work.keys(), work.count == 1 ? cold_layers(work.keys(), page_bytes) : 1, page_bytes);
  std::vector<float> rows = random_numbers(work.keys() * latent.width());
  const AttentionSpan all = cache.span(0, work.keys());
  for (std::size_t i = 0; i < cache.layers(); ++i)
    append_latents(kernels, setting.team(), latent.shape(),
                   {rows.data(), work.keys(), latent.width(), latent.width()},
                   {cache.layer(i), {&all, 1}});
  const std::size_t width = latent.heads * latent.width();
  std::vector<float> numbers = random_numbers(work.count * width);
  const Heads query = Rows{numbers.data(), work.count, width, width}.heads(latent.heads);
  const AttentionSpan span = cache.span(work.first, work.count);
  Arena arena;
  std::size_t layer = 0;
  for (auto _ : state) {
    const ScratchScope scope(arena);
    attend_latents(kernels, setting.team(), arena, latent.shape(),
                   {query.first(latent.rank), query.last(latent.rope)},
                   {cache.layer(layer++), {&span, 1}});
  }
  count(state, setting, work, latent.flops(), static_cast<double>(cache.layer_bytes()));
}

void bench_plain(benchmark::State& state, Setting setting, Plain plain, Work work) {
  const KernelSet kernels = setting.kernels();
  const std::size_t page_bytes = plain_page_bytes(plain.shape(), setting.operand);
  Cache cache(work.keys(), work.count == 1 ? cold_layers(work.keys(), page_bytes) : 1, page_bytes);
  const std::size_t width = plain.heads * plain.head_dim;
  std::vector<float> numbers = random_numbers(work.keys() * width);
  const Heads rows = Rows{numbers.data(), work.keys(), width, width}.heads(plain.heads);
  const AttentionSpan all = cache.span(0, work.keys());
  for (std::size_t i = 0; i < cache.layers(); ++i)
    append_keys_values(kernels, setting.team(), plain.shape(), rows, rows,
                       {cache.layer(i), {&all, 1}});
  const Heads query = Rows{numbers.data(), work.count, width, width}.heads(plain.heads);
  const AttentionSpan span = cache.span(work.first, work.count);
  Arena arena;
  std::size_t layer = 0;
  for (auto _ : state) {
    const ScratchScope scope(arena);
    attend_plain(kernels, setting.team(), arena, plain.shape(), query,
                 {cache.layer(layer++), {&span, 1}});
  }
  count(state, setting, work, plain.flops(), static_cast<double>(cache.layer_bytes()));
}

void bench_append_plain(benchmark::State& state, Setting setting, Plain plain, std::size_t keys) {
  Cache cache(keys, 1, plain_page_bytes(plain.shape(), setting.operand));
  const std::size_t width = plain.heads * plain.head_dim;
  std::vector<float> numbers = random_numbers(keys * width);
  const Heads rows = Rows{numbers.data(), keys, width, width}.heads(plain.heads);
  const AttentionSpan all = cache.span(0, keys);
  for (auto _ : state)
    append_keys_values(setting.kernels(), setting.team(), plain.shape(), rows, rows,
                       {cache.layer(0), {&all, 1}});
}

constexpr std::size_t kPatches = 729;
constexpr Plain kVision{16, 72};

void bench_full(benchmark::State& state, Setting setting, std::size_t tiles) {
  Arena arena;
  const Rows qkv = arena.rows(tiles * kPatches, 3 * kVision.heads * kVision.head_dim);
  const std::vector<float> numbers = random_numbers(qkv.count * qkv.width);
  std::copy(numbers.begin(), numbers.end(), qkv.data);
  for (auto _ : state) {
    const ScratchScope scope(arena);
    attend_full(setting.kernels(), setting.team(), arena, kVision.shape(), qkv, kPatches);
  }
  count_flops(state, kVision.flops() * static_cast<double>(tiles * kPatches * kPatches),
              setting.isa, setting.operand, setting.threads);
}

// One head of the vision tower over 32 query rows, a stage at a time.
class VisionStages {
 public:
  explicit VisionStages(const KernelSet& kernels)
      : kernels_(kernels),
        tile_bytes_(kTileNumbers * bytes_of(kernels.operand)),
        keys_(kKeys / 16 * kDepthTiles * tile_bytes_),
        values_(kKeys / 32 * 2 * kPairs * tile_bytes_),
        query_(kDepthTiles * 2 * tile_bytes_),
        scores_(kKeys * kLanes * sizeof(float)),
        probabilities_(kKeys / 32 * 2 * tile_bytes_),
        out_(kPairs * kLanes * kPairColumns * sizeof(float)) {
    for (AlignedBuffer* buffer : {&keys_, &values_, &query_}) fill(*buffer);
    scores();
    probabilities();
  }
  void scores() {
    for (std::size_t key = 0; key < kKeys; key += 32)
      kernels_.matmul->run({.left = keys_.data() + key / 16 * kDepthTiles * tile_bytes_,
                            .left_row_tile_bytes = kDepthTiles * tile_bytes_,
                            .right = query_.data(),
                            .depth_tiles = kDepthTiles,
                            .rows = 32,
                            .panels = 2,
                            .out = scores_.as<float>().data() + key * kLanes});
  }
  void probabilities() {
    float maximum[kLanes];
    float sum[kLanes] = {};
    float factor[kLanes];
    std::fill_n(maximum, kLanes, kNoMaximum);
    kernels_.attention->softmax({scores_.as<float>().data(), kKeys, 2, nullptr,
                                 probabilities_.data(), maximum, sum, factor});
  }
  void values() {
    for (std::size_t pair = 0; pair < kPairs; ++pair)
      kernels_.matmul->run({.left = probabilities_.data(),
                            .left_row_tile_bytes = kKeys / 32 * tile_bytes_,
                            .right = values_.data() + pair * kKeys / 32 * 2 * tile_bytes_,
                            .depth_tiles = kKeys / 32,
                            .rows = 32,
                            .panels = pair + 1 < kPairs ? std::size_t{2} : std::size_t{1},
                            .out = out_.as<float>().data() + pair * kLanes * kPairColumns});
  }

 private:
  static constexpr std::size_t kKeys = 736;
  static constexpr std::size_t kDepthTiles = 3;
  static constexpr std::size_t kPairs = 3;

  void fill(AlignedBuffer& buffer) const {
    const std::size_t count = buffer.size() / bytes_of(kernels_.operand);
    for (std::size_t i = 0; i < count; ++i) {
      const auto number = static_cast<float>(random_unit(2, i) - 0.5);
      if (kernels_.operand == Operand::f32)
        buffer.as<float>()[i] = number;
      else
        buffer.as<Bf16>()[i] = to_bf16(number);
    }
  }

  KernelSet kernels_;
  std::size_t tile_bytes_;
  AlignedBuffer keys_, values_, query_, scores_, probabilities_, out_;
};

void bench_stage(benchmark::State& state, Setting setting, void (VisionStages::*stage)()) {
  const KernelSet kernels = setting.kernels();
  const FlushDenormals flush;
  kernels.matmul->configure(kTileRows);
  VisionStages stages(kernels);
  for (auto _ : state) (stages.*stage)();
  kernels.matmul->release();
}

template <class F>
void add(const std::string& name, const Setting& setting, F run) {
  benchmark::RegisterBenchmark((name + "/" + setting.name()).c_str(),
                               [setting, run](benchmark::State& state) { run(state, setting); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_setting(const Setting& setting) {
  constexpr Latent kSmall{16, 512, 64};
  constexpr Plain kTiny{10, 128};
  const auto latent = [&](const std::string& name, Work work) {
    add("attention/latent/" + name, setting,
        [=](auto& state, const Setting& s) { bench_latent(state, s, kSmall, work); });
  };
  const auto plain = [&](const std::string& name, Work work) {
    add("attention/plain/" + name, setting,
        [=](auto& state, const Setting& s) { bench_plain(state, s, kTiny, work); });
  };
  latent("token_after_2000", {1999, 1});
  latent("token_after_4096", {4095, 1});
  latent("prompt_2048", {0, 2048});
  plain("token_after_2000", {1999, 1});
  plain("prompt_2048", {0, 2048});
  add("attention/plain/append_2048", setting,
      [=](auto& state, const Setting& s) { bench_append_plain(state, s, kTiny, 2048); });
  for (const std::size_t tiles : {std::size_t{1}, std::size_t{10}})
    add("attention/vision/tiles:" + std::to_string(tiles), setting,
        [=](auto& state, const Setting& s) { bench_full(state, s, tiles); });
}

void add_stages(const Setting& setting) {
  const auto stage = [&](const std::string& name, void (VisionStages::*function)()) {
    add("attention/vision_stage/" + name, setting,
        [=](auto& state, const Setting& s) { bench_stage(state, s, function); });
  };
  stage("scores", &VisionStages::scores);
  stage("softmax", &VisionStages::probabilities);
  stage("values", &VisionStages::values);
}

const bool kRegistered = [] {
  for (const Isa isa : cpu_isas()) {
    if (isa == Isa::portable) continue;  // a definition, not meant to be fast
    for (const int threads : thread_counts()) add_setting({isa, Operand::bf16, threads});
    add_stages({isa, Operand::bf16, 1});
  }
  return true;
}();

}  // namespace
}  // namespace vl2
