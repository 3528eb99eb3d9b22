// SPDX-License-Identifier: MIT
#include "engine/generation_options.h"

#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "text/unicode.h"

namespace vl2 {
namespace {

[[noreturn]] void refuse(std::string_view option, double value, std::string_view must) {
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} is {}, it must be {}", option, value, must));
}

void check_fraction(std::string_view option, double value) {
  if (!(value >= 0.0 && value <= 1.0)) refuse(option, value, "from 0 to 1");
}

void check_stop(const std::string& stop) {
  if (stop.empty())
    throw Error(ErrorCode::invalid_argument, "a stop string is empty; leave it out");
  if (valid_utf8_prefix(stop) != stop.size())
    throw Error(ErrorCode::invalid_argument, "a stop string is not valid UTF-8");
}

}  // namespace

void check_options(const GenerationOptions& options) {
  constexpr double kMostTemperature = 1e6;
  if (options.max_tokens == 0) refuse("max_tokens", 0, "at least 1");
  const double temperature = options.temperature;
  if (temperature != 0.0 && !(temperature >= kLeastTemperature && temperature <= kMostTemperature))
    refuse("temperature", temperature, "0 or from 0.000001 to 1000000");
  if (options.top_k < 0) refuse("top_k", options.top_k, "at least 1, or 0 to turn it off");
  check_fraction("top_p", options.top_p);
  check_fraction("min_p", options.min_p);
  const double penalty = options.repetition_penalty;
  if (!(penalty >= 0.01 && penalty <= 100.0))
    refuse("repetition_penalty", penalty, "from 0.01 to 100");
  if (options.no_repeat_ngram_size < 0)
    refuse("no_repeat_ngram_size", options.no_repeat_ngram_size, "at least 1, or 0 to turn it off");
  if (options.logprobs > kMostLogprobs)
    refuse("logprobs", static_cast<double>(options.logprobs),
           fmt::format("at most {}", kMostLogprobs));
  for (const std::string& stop : options.stop) check_stop(stop);
}

}  // namespace vl2
