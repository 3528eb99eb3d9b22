// SPDX-License-Identifier: MIT
#include "text/grounding_overlap.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vl2 {
namespace {

double length_of(double a, double b) noexcept { return std::abs(b - a); }

// What [a1, a2] and [b1, b2] share; each may be given from its other end.
double shared_length(double a1, double a2, double b1, double b2) noexcept {
  const double begin = std::max(std::min(a1, a2), std::min(b1, b2));
  const double end = std::min(std::max(a1, a2), std::max(b1, b2));
  return std::max(0.0, end - begin);
}

double area(const GroundedBox& box) noexcept {
  return length_of(box.x1, box.x2) * length_of(box.y1, box.y2);
}

}  // namespace

double overlap(const GroundedBox& a, const GroundedBox& b) noexcept {
  const double both = shared_length(a.x1, a.x2, b.x1, b.x2) * shared_length(a.y1, a.y2, b.y1, b.y2);
  const double either = area(a) + area(b) - both;
  // The model may write numbers without bounds.
  return both > 0.0 && std::isfinite(either) ? both / either : 0.0;
}

double mean_overlap(std::span<const GroundedBox> expected, std::span<const GroundedBox> actual) {
  const std::size_t most = std::max(expected.size(), actual.size());
  if (most == 0) return 1.0;
  struct Pair {
    double overlap;
    std::size_t expected;
    std::size_t actual;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t j = 0; j < actual.size(); ++j)
      if (expected[i].label == actual[j].label)
        pairs.push_back({overlap(expected[i], actual[j]), i, j});
  std::ranges::stable_sort(pairs,
                           [](const Pair& a, const Pair& b) { return a.overlap > b.overlap; });

  std::vector<bool> expected_taken(expected.size());
  std::vector<bool> actual_taken(actual.size());
  double sum = 0.0;
  for (const Pair& pair : pairs) {
    if (expected_taken[pair.expected] || actual_taken[pair.actual]) continue;
    expected_taken[pair.expected] = actual_taken[pair.actual] = true;
    sum += pair.overlap;
  }
  return sum / static_cast<double>(most);
}

}  // namespace vl2
