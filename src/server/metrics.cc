// SPDX-License-Identifier: MIT
#include "server/metrics.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace vl2 {
namespace {

void write_head(std::string& out, const std::string& name, const char* type,
                const std::string& help) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <class T>
void write_value(std::string& out, const std::string& name, const char* type,
                 const std::string& help, T value) {
  write_head(out, name, type, help);
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}

}  // namespace

void Histogram::add(double seconds) {
  const auto bound = std::ranges::lower_bound(kBounds, seconds);
  ++counts_[static_cast<std::size_t>(bound - kBounds.begin())];
  sum_ += seconds;
}

void Histogram::write(std::string& out, const std::string& name, const std::string& help) const {
  write_head(out, name, "histogram", help);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    sum += counts_[i];
    fmt::format_to(std::back_inserter(out), "{}_bucket{{le=\"{}\"}} {}\n", name, kBounds[i], sum);
  }
  sum += counts_.back();
  fmt::format_to(std::back_inserter(out),
                 "{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, sum, sum_);
}

void Metrics::count_request(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  request_seconds_.add(seconds);
}

void Metrics::count_answer(const Usage& usage, const Timings& timings) {
  const std::lock_guard lock(mutex_);
  ++answers_;
  tokens_.prompt_tokens += usage.prompt_tokens;
  tokens_.image_tokens += usage.image_tokens;
  tokens_.cached_tokens += usage.cached_tokens;
  tokens_.completion_tokens += usage.completion_tokens;
  busy_.vision += timings.vision;
}

void Metrics::count_step(double seconds) {
  const std::lock_guard lock(mutex_);
  step_seconds_.add(seconds);
}

void Metrics::count_first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_token_seconds_.add(seconds);
}

std::string Metrics::text(const EngineStatus& engine) const {
  const std::lock_guard lock(mutex_);
  std::string out;
  write_head(out, "vl2_http_requests_total", "counter", "HTTP requests answered.");
  for (const auto& [key, count] : requests_)
    fmt::format_to(std::back_inserter(out),
                   "vl2_http_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first,
                   key.second, count);
  request_seconds_.write(out, "vl2_http_request_seconds",
                         "Time to answer a request, streams whole.");
  first_token_seconds_.write(out, "vl2_first_token_seconds", "Time from request to first token.");
  step_seconds_.write(out, "vl2_step_seconds", "Time of the engine's steps.");
  write_value(out, "vl2_requests_running", "gauge", "Answers at work.", engine.running);
  write_value(out, "vl2_requests_waiting", "gauge", "Answers in the queue.", engine.waiting);
  write_value(out, "vl2_kv_pages", "gauge", "Pages of the KV cache.", engine.pages);
  write_value(out, "vl2_kv_pages_used", "gauge", "Pages of the KV cache that requests use.",
              engine.pages - engine.free_pages);
  write_value(out, "vl2_answers_total", "counter", "Answers finished.", answers_);
  write_value(out, "vl2_prompt_tokens_total", "counter", "Tokens of prompts, pictures included.",
              tokens_.prompt_tokens);
  write_value(out, "vl2_image_tokens_total", "counter", "Tokens of pictures.",
              tokens_.image_tokens);
  write_value(out, "vl2_cached_tokens_total", "counter", "Tokens of prompts found in the KV cache.",
              tokens_.cached_tokens);
  write_value(out, "vl2_completion_tokens_total", "counter", "Tokens written.",
              tokens_.completion_tokens);
  write_head(out, "vl2_picture_tiles_total", "counter",
             "Tiles of pictures, by where their features came from.");
  for (const auto& [from, count] :
       {std::pair{"tower", engine.tiles.encoded}, std::pair{"memory", engine.tiles.from_memory},
        std::pair{"disk", engine.tiles.from_files}})
    fmt::format_to(std::back_inserter(out), "vl2_picture_tiles_total{{from=\"{}\"}} {}\n", from,
                   count);
  write_value(out, "vl2_vision_seconds_total", "counter", "Time in the vision tower.",
              busy_.vision);
  return out;
}

}  // namespace vl2
