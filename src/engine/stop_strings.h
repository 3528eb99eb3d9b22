// SPDX-License-Identifier: MIT
// Ends an answer before the first of some strings, which may come in parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vl2 {

// Takes an answer's text piece by piece and gives back what certainly comes before any stop
// string; the beginning of a possible one is held back. How the text is cut into pieces changes
// nothing: the stop string that is complete first counts, of several that end together the longest.
class StopStrings {
 public:
  // None empty, all valid UTF-8 (check_options), so that what is given back ends at a character.
  explicit StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Nothing once found() is true.
  std::string push(std::string_view piece);
  // The answer is over: gives what was held back, unless a stop string was found.
  std::string flush();
  bool found() const noexcept { return found_; }

 private:
  std::vector<std::string> stops_;
  std::string held_back_;
  bool found_ = false;
};

}  // namespace vl2
