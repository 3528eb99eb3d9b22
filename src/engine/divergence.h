// SPDX-License-Identifier: MIT
// How far next-token distributions of one model are from those of another.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vl2 {

// Of one place in an answer.
struct Divergence {
  double nats = 0.0;         // Kullback-Leibler, of the reference from the other: 0 if equal
  bool same_choice = false;  // both find the same token most probable; of equal ones the first
};

// Both [vocab_size], raw and finite. Sums are fp64.
Divergence divergence(std::span<const float> reference, std::span<const float> logits);

struct DivergenceSummary {
  std::size_t tokens = 0;
  double mean = 0.0;           // nats
  double percentile_99 = 0.0;  // interpolated between the two nearest, as numpy does
  double largest = 0.0;
  std::size_t same_choices = 0;

  double agreement() const noexcept;  // share of same choices; 1 without tokens
};

DivergenceSummary summarize(std::span<const Divergence> divergences);

}  // namespace vl2
