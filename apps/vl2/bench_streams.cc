// SPDX-License-Identifier: MIT
#include "bench_streams.h"

#include <algorithm>
#include <random>
#include <utility>
#include <variant>

#include "base/cpu.h"
#include "base/stopwatch.h"
#include "interrupt.h"

namespace vl2 {
namespace {

// More than any bench generates after a prompt.
constexpr std::size_t kMostAnswerTokens = 1024;

RuntimeOptions runtime_options(const ThreadTeam& team, const StreamBench::Options& options) {
  RuntimeOptions runtime;
  runtime.isa = chosen_isa();
  runtime.team = team;
  const std::size_t stream = options.context_tokens + kMostAnswerTokens;
  const std::size_t prompt = options.longest_prompt + kMostAnswerTokens;
  runtime.cache_tokens = options.most_streams * stream + prompt;
  runtime.limits.chunk_tokens_while_generating = options.chunk_tokens;
  runtime.max_sequences = options.most_streams + 1;
  return runtime;
}

}  // namespace

StreamBench::StreamBench(const LoadedModel& loaded, const ThreadTeam& team, const Options& options)
    : loaded_(loaded),
      options_(options),
      runtime_(loaded.model, {}, runtime_options(team, options)) {}

std::vector<double> StreamBench::start(std::size_t streams) {
  const double begin = clock_;
  for (std::size_t i = 0; i < streams; ++i) streams_.push_back(add(options_.context_tokens));
  while (first_tokens_.size() < streams_.size()) step();
  std::vector<double> seconds;
  for (const RequestId stream : streams_) seconds.push_back(first_tokens_.at(stream) - begin);
  return seconds;
}

std::vector<double> StreamBench::generate(std::size_t steps) {
  std::vector<double> seconds;
  for (std::size_t i = 0; i < steps; ++i) seconds.push_back(step());
  return seconds;
}

std::vector<double> StreamBench::read_beside(std::size_t prompt_tokens) {
  const RequestId prompt = add(prompt_tokens);
  streams_.push_back(prompt);
  std::vector<double> seconds;
  while (!first_tokens_.contains(prompt)) seconds.push_back(step());
  return seconds;
}

void StreamBench::stop() {
  for (const RequestId stream : streams_) runtime_.cancel(stream);
  while (!runtime_.idle()) runtime_.step();
  streams_.clear();
  first_tokens_.clear();
}

RequestId StreamBench::add(std::size_t prompt_tokens) {
  std::mt19937 random(next_seed_++);
  std::uniform_int_distribution<std::int32_t> any(0, loaded_.config().language.vocab_size - 1);
  Request request;
  request.prompt.ids.resize(prompt_tokens);
  std::generate(request.prompt.ids.begin(), request.prompt.ids.end(), [&] { return any(random); });
  request.options.max_tokens = kMostAnswerTokens;
  // Dice, so that experts take turns as they do in text.
  request.options.temperature = 1.0;
  request.options.seed = next_seed_;
  return runtime_.add(std::move(request));
}

double StreamBench::step() {
  stop_if_interrupted();
  const Stopwatch stopwatch;
  const std::vector<Event> events = runtime_.step();
  const double seconds = stopwatch.seconds();
  clock_ += seconds;
  for (const Event& event : events) {
    if (const auto* failed = std::get_if<RequestFailed>(&event.what)) throw failed->error;
    if (std::holds_alternative<TokenChosen>(event.what))
      first_tokens_.try_emplace(event.request, clock_);
  }
  return seconds;
}

}  // namespace vl2
