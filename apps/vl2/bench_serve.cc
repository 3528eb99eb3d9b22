// SPDX-License-Identifier: MIT
#include "bench_serve.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "bench_counts.h"
#include "bench_samples.h"
#include "bench_streams.h"

namespace vl2 {
namespace {

constexpr std::array<std::size_t, 4> kStreamCounts = {1, 4, 8, 16};
constexpr std::array<std::size_t, 2> kChunkSizes = {512, 128};
constexpr std::size_t kContextTokens = 512;
constexpr std::size_t kLongPromptTokens = 2000;
constexpr std::size_t kPieceSteps = 8;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// The seconds in which this machine, at its limits, would have computed a step of so many streams.
double allowed_seconds(const ServeBench& bench, const MachineLimits& limits, StepLoad load) {
  const ModelConfig& config = bench.loaded.config();
  const double bytes = bytes_per_step(config, bench.loaded.model.recipe(), load);
  const double flops =
      static_cast<double>(load.streams) * language_flops(config, {load.position, 1, 1});
  return std::max(bytes / limits.read_bytes_per_second, flops / limits.flops_per_second);
}

struct Best {
  double step_seconds = 0.0;
  double share = 0.0;  // of that time in which the machine, at its limits, would be done
};

// The fastest piece and the highest limits: other programs only ever make a machine look slower.
Best measure_steps(const ServeBench& bench, StreamBench& streams, std::size_t count) {
  streams.generate(kPieceSteps);
  Best best;
  MachineLimits limits;
  std::size_t position = kContextTokens + kPieceSteps;
  for (int i = 0; i < bench.repeat; ++i) {
    const double seconds = sum(streams.generate(kPieceSteps)) / kPieceSteps;
    best.step_seconds = i == 0 ? seconds : std::min(best.step_seconds, seconds);
    const MachineLimits now = bench.meter.measure();
    limits.flops_per_second = std::max(limits.flops_per_second, now.flops_per_second);
    limits.read_bytes_per_second =
        std::max(limits.read_bytes_per_second, now.read_bytes_per_second);
    position += kPieceSteps;
  }
  best.share = allowed_seconds(bench, limits, {count, position}) / best.step_seconds;
  return best;
}

}  // namespace

Json bench_streams_together(const ServeBench& bench) {
  StreamBench::Options options;
  options.context_tokens = kContextTokens;
  options.most_streams = kStreamCounts.back();
  StreamBench streams(bench.loaded, bench.team, options);
  Json list = Json::array();
  for (const std::size_t count : kStreamCounts) {
    std::vector<double> first = streams.start(count);
    const Best steps = measure_steps(bench, streams, count);
    streams.stop();
    const double per_second = static_cast<double>(count) / steps.step_seconds;
    const double alone = list.empty() ? per_second : list[0]["tokens_per_second"].get<double>();
    list.push_back({{"streams", count},
                    {"context_tokens", kContextTokens},
                    {"first_token_seconds", median(first)},
                    {"last_first_token_seconds", *std::ranges::max_element(first)},
                    {"step_seconds", steps.step_seconds},
                    {"tokens_per_second", per_second},
                    {"times_one_stream", per_second / alone},
                    {"share_of_limit", steps.share}});
  }
  return list;
}

std::string streams_together_text(const Json& streams) {
  std::string text;
  for (const Json& one : streams) {
    text += fmt::format(
        "streams   {:2} after {}: {:.2f} tokens/s, {:.2f} times one stream, {:.1f} ms a step, "
        "{:.0f} "
        "% of the limit; first token {:.2f} s\n",
        one["streams"].get<int>(), one["context_tokens"].get<int>(),
        one["tokens_per_second"].get<double>(), one["times_one_stream"].get<double>(),
        1e3 * one["step_seconds"].get<double>(), 100 * one["share_of_limit"].get<double>(),
        one["first_token_seconds"].get<double>());
  }
  return text;
}

Json bench_prompt_beside(const ServeBench& bench) {
  Json list = Json::array();
  for (const std::size_t chunk : kChunkSizes) {
    StreamBench::Options options;
    options.context_tokens = kContextTokens;
    options.chunk_tokens = chunk;
    options.most_streams = 1;
    options.longest_prompt = kLongPromptTokens;
    StreamBench streams(bench.loaded, bench.team, options);
    streams.start(1);
    std::vector<double> quiet = streams.generate(2 * kPieceSteps);
    std::vector<double> beside = streams.read_beside(kLongPromptTokens);
    const double prompt = sum(beside);
    const double longest = *std::ranges::max_element(beside);
    list.push_back({{"prompt_tokens", kLongPromptTokens},
                    {"chunk_tokens", chunk},
                    {"quiet_seconds", median(quiet)},
                    {"median_seconds", median(beside)},
                    {"longest_seconds", longest},
                    {"prompt_seconds", prompt}});
  }
  return list;
}

std::string prompt_beside_text(const Json& chunks) {
  std::string text;
  for (const Json& one : chunks) {
    text += fmt::format(
        "beside    a prompt of {} tokens in chunks of {}: a stream's next token after {:.0f} ms "
        "(longest {:.0f}, without it {:.0f}); the prompt's first token after {:.2f} s\n",
        one["prompt_tokens"].get<int>(), one["chunk_tokens"].get<int>(),
        1e3 * one["median_seconds"].get<double>(), 1e3 * one["longest_seconds"].get<double>(),
        1e3 * one["quiet_seconds"].get<double>(), one["prompt_seconds"].get<double>());
  }
  return text;
}

}  // namespace vl2
