// SPDX-License-Identifier: MIT
#include "engine/divergence.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "engine/sampler.h"

namespace vl2 {
namespace {

// The logarithm of the sum of the exponentials.
double log_sum(std::span<const float> logits) {
  const auto most = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  return most + std::log(sum);
}

}  // namespace

Divergence divergence(std::span<const float> reference, std::span<const float> logits) {
  VL2_CHECK(reference.size() == logits.size() && !logits.empty());
  const double sum_of_reference = log_sum(reference);
  const double sum_of_logits = log_sum(logits);
  double nats = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double log_reference = static_cast<double>(reference[i]) - sum_of_reference;
    const double log_other = static_cast<double>(logits[i]) - sum_of_logits;
    nats += std::exp(log_reference) * (log_reference - log_other);
  }
  // Rounding can make it a little less than the least there can be.
  return {std::max(0.0, nats), largest(reference) == largest(logits)};
}

double DivergenceSummary::agreement() const noexcept {
  return tokens == 0 ? 1.0 : static_cast<double>(same_choices) / static_cast<double>(tokens);
}

DivergenceSummary summarize(std::span<const Divergence> divergences) {
  DivergenceSummary summary;
  summary.tokens = divergences.size();
  if (divergences.empty()) return summary;
  std::vector<double> nats;
  for (const Divergence& one : divergences) {
    nats.push_back(one.nats);
    summary.same_choices += one.same_choice ? 1 : 0;
  }
  std::ranges::sort(nats);
  summary.mean = std::accumulate(nats.begin(), nats.end(), 0.0) / static_cast<double>(nats.size());
  summary.largest = nats.back();
  const double place = 0.99 * static_cast<double>(nats.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, nats.size() - 1);
  summary.percentile_99 = std::lerp(nats[below], nats[above], place - static_cast<double>(below));
  return summary;
}

}  // namespace vl2
