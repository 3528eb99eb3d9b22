// SPDX-License-Identifier: MIT
#include "bench_model.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <span>

#include "base/aligned.h"
#include "base/cpu.h"
#include "base/stopwatch.h"
#include "kernels/attention/attention.h"

namespace vl2 {
namespace {

constexpr std::uint32_t kSeed = 1;

template <class F>
double seconds_of(F&& f) {
  const Stopwatch stopwatch;
  f();
  return stopwatch.seconds();
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

BenchModel::BenchModel(const LoadedModel& loaded, const ThreadTeam& team, std::size_t context,
                       std::size_t sequences)
    : model_(loaded.model),
      ops_(KernelSet::of(chosen_isa(), loaded.model.operand()), team, arena_),
      context_(round_up(context, kPageTokens)),
      pages_(sequences * context_ / kPageTokens),
      tokens_(random_tokens(sequences * context_, loaded.config().language.vocab_size)) {
  std::iota(pages_.begin(), pages_.end(), 0U);
  for (std::size_t i = 0; i < model_.layer_count(); ++i) {
    storage_.emplace_back(pages_.size() * model_.page_bytes(i));
    layers_.push_back({storage_.back().data(), model_.page_bytes(i)});
  }
}

double BenchModel::encode_tiles(std::size_t count) {
  const std::vector<float> pixels = random_pixels(count * model_.pixels_per_tile());
  return seconds_of([&] {
    arena_.reset();
    model_.encode_tiles(ops_, pixels);
  });
}

double BenchModel::read_prompt(std::size_t count, std::size_t sequence) {
  return seconds_of([&] { compute({0, count}, {sequence, sequence + 1}); });
}

double BenchModel::generate(std::size_t first, std::size_t count, std::size_t sequences) {
  return seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) compute({first + i, 1}, {0, sequences});
  });
}

void BenchModel::compute(Positions positions, Share sequences) {
  arena_.reset();
  TokenBatch batch;
  for (std::size_t sequence = sequences.begin; sequence < sequences.end; ++sequence) {
    const std::size_t first_row = batch.rows();
    for (std::size_t i = 0; i < positions.count; ++i) {
      batch.tokens.push_back(tokens_[sequence * context_ + positions.first + i]);
      batch.positions.push_back(static_cast<std::uint32_t>(positions.first + i));
    }
    const std::size_t pages = context_ / kPageTokens;
    batch.spans.push_back({first_row, positions.count, positions.first,
                           std::span(pages_).subspan(sequence * pages, pages)});
    batch.wanted.push_back(static_cast<std::uint32_t>(batch.rows() - 1));
  }
  Step step{batch, ops_, layers_};
  model_.forward(step);
}

}  // namespace vl2
