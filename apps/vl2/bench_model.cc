// SPDX-License-Identifier: MIT
#include "bench_model.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <span>

#include "base/cpu.h"
#include "kernels/attention/attention.h"

namespace vl2 {
namespace {

constexpr std::size_t kTilesAtOnce = 2;  // RuntimeOptions::tiles_at_once
constexpr std::uint32_t kSeed = 1;

template <class F>
double seconds_of(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<std::int32_t> random_tokens(std::size_t count, int vocabulary) {
  std::mt19937 random(kSeed);
  std::uniform_int_distribution<std::int32_t> any(0, vocabulary - 1);
  std::vector<std::int32_t> tokens(count);
  std::generate(tokens.begin(), tokens.end(), [&] { return any(random); });
  return tokens;
}

std::vector<float> random_pixels(std::size_t count) {
  std::mt19937 random(kSeed);
  std::uniform_real_distribution<float> any(-1.0F, 1.0F);
  std::vector<float> pixels(count);
  std::generate(pixels.begin(), pixels.end(), [&] { return any(random); });
  return pixels;
}

}  // namespace

BenchModel::BenchModel(const LoadedModel& loaded, const ThreadTeam& team, std::size_t context)
    : model_(loaded.model),
      ops_(KernelSet::of(chosen_isa(), loaded.model.operand()), team, arena_),
      pages_((context + kPageTokens - 1) / kPageTokens),
      tokens_(random_tokens(context, loaded.config().language.vocab_size)) {
  std::iota(pages_.begin(), pages_.end(), 0U);
  for (std::size_t i = 0; i < model_.layer_count(); ++i) {
    storage_.emplace_back(pages_.size() * model_.page_bytes(i));
    layers_.push_back({storage_.back().data(), model_.page_bytes(i)});
  }
}

double BenchModel::encode_tiles(std::size_t count) {
  const std::size_t each = model_.pixels_per_tile();
  const std::vector<float> pixels = random_pixels(count * each);
  return seconds_of([&] {
    for (std::size_t tile = 0; tile < count; tile += kTilesAtOnce) {
      const std::size_t tiles = std::min(kTilesAtOnce, count - tile);
      arena_.reset();
      model_.encode_tiles(ops_, std::span(pixels).subspan(tile * each, tiles * each));
    }
  });
}

double BenchModel::read_prompt(std::size_t count) {
  return seconds_of([&] { compute(0, count); });
}

double BenchModel::generate(std::size_t first, std::size_t count) {
  return seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) compute(first + i, 1);
  });
}

void BenchModel::compute(std::size_t first, std::size_t count) {
  arena_.reset();
  TokenBatch batch;
  const auto begin = tokens_.begin() + static_cast<std::ptrdiff_t>(first);
  batch.tokens.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  batch.positions.resize(count);
  std::iota(batch.positions.begin(), batch.positions.end(), static_cast<std::uint32_t>(first));
  batch.spans = {{0, count, first, pages_}};
  batch.wanted = {static_cast<std::uint32_t>(count - 1)};
  Step step{batch, ops_, layers_};
  model_.forward(step);
}

}  // namespace vl2
