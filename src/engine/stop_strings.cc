// SPDX-License-Identifier: MIT
#include "engine/stop_strings.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vl2 {
namespace {

// Length of the longest end of `text` that `stop` begins with, without being all of it.
std::size_t overlap(std::string_view text, std::string_view stop) {
  for (std::size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length)
    if (text.ends_with(stop.substr(0, length))) return length;
  return 0;
}

}  // namespace

std::string StopStrings::push(std::string_view piece) {
  if (found_) return {};
  held_back_ += piece;

  std::size_t first_end = std::string::npos;
  std::size_t begin = 0;
  for (const std::string& stop : stops_) {
    const std::size_t at = held_back_.find(stop);
    if (at == std::string::npos) continue;
    const std::size_t end = at + stop.size();
    if (end < first_end || (end == first_end && at < begin)) {
      first_end = end;
      begin = at;
    }
  }
  if (first_end != std::string::npos) {
    found_ = true;
    return std::exchange(held_back_, {}).substr(0, begin);
  }

  std::size_t uncertain = 0;
  for (const std::string& stop : stops_) uncertain = std::max(uncertain, overlap(held_back_, stop));
  std::string certain = held_back_.substr(0, held_back_.size() - uncertain);
  held_back_.erase(0, certain.size());
  return certain;
}

std::string StopStrings::flush() { return std::exchange(held_back_, {}); }

}  // namespace vl2
