// SPDX-License-Identifier: MIT
#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/random.h"

namespace vl2 {
namespace {

constexpr float kOut = -std::numeric_limits<float>::infinity();

std::size_t index_of(std::int32_t id) { return static_cast<std::size_t>(id); }

// Ids of the tokens that are still in, ascending.
std::vector<std::int32_t> candidates(std::span<const float> logits) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (logits[i] != kOut) ids.push_back(static_cast<std::int32_t>(i));
  return ids;
}

}  // namespace

void penalize_repetition(std::span<float> logits, std::span<const std::int32_t> ids,
                         double penalty) {
  const auto factor = static_cast<float>(penalty);
  std::vector<bool> seen(logits.size());
  for (const std::int32_t id : ids) {
    if (seen[index_of(id)]) continue;
    seen[index_of(id)] = true;
    float& logit = logits[index_of(id)];
    logit = logit < 0.0F ? logit * factor : logit / factor;
  }
}

void ban_repeated_ngrams(std::span<float> logits, std::span<const std::int32_t> ids,
                         std::size_t n) {
  if (ids.size() < n) return;
  const auto ending = ids.last(n - 1);
  for (std::size_t i = 0; i + n <= ids.size(); ++i) {
    if (std::ranges::equal(ids.subspan(i, n - 1), ending)) logits[index_of(ids[i + n - 1])] = kOut;
  }
}

void apply_temperature(std::span<float> logits, double temperature) {
  const auto divisor = static_cast<float>(temperature);
  for (float& logit : logits) logit /= divisor;
}

void keep_top_k(std::span<float> logits, std::size_t k) {
  if (k == 0 || k >= logits.size()) return;
  std::vector<float> sorted(logits.begin(), logits.end());
  const auto kth = sorted.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(sorted.begin(), kth, sorted.end(), std::greater<>());
  const float least = *kth;
  for (float& logit : logits)
    if (logit < least) logit = kOut;
}

void keep_top_p(std::span<float> logits, double p) {
  std::vector<std::int32_t> ids = candidates(logits);
  std::ranges::sort(ids, [&](std::int32_t a, std::int32_t b) {
    const float x = logits[index_of(a)];
    const float y = logits[index_of(b)];
    return x < y || (x == y && a > b);
  });
  std::vector<float> probabilities(logits.size());
  softmax(logits, probabilities);
  // As PyTorch does: the sum in double, compared in fp32.
  const auto tail = static_cast<float>(1.0 - p);
  double sum = 0.0;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    sum += static_cast<double>(probabilities[index_of(ids[i])]);
    if (static_cast<float>(sum) > tail) break;
    logits[index_of(ids[i])] = kOut;
  }
}

void keep_min_p(std::span<float> logits, double p) {
  std::vector<float> probabilities(logits.size());
  softmax(logits, probabilities);
  const float least = static_cast<float>(p) * *std::ranges::max_element(probabilities);
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (probabilities[i] < least) logits[i] = kOut;
}

void softmax(std::span<const float> logits, std::span<float> probabilities) {
  const float most = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = std::exp(logits[i] - most);
    sum += static_cast<double>(probabilities[i]);
  }
  const auto total = static_cast<float>(sum);
  for (float& probability : probabilities) probability /= total;
}

std::int32_t largest(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

void require_finite_logits(std::span<const float> logits) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isfinite(logits[i])) continue;
    throw Error(ErrorCode::bad_checkpoint,
                fmt::format("the model computed {} as the logit of token {}; its weights are "
                            "broken, or too large for this number format",
                            logits[i], i));
  }
}

Sampler::Sampler(const GenerationOptions& options, Steering steering)
    : temperature_(options.temperature),
      top_k_(static_cast<std::size_t>(options.top_k)),
      top_p_(options.top_p),
      min_p_(options.min_p),
      repetition_penalty_(options.repetition_penalty),
      ngram_(static_cast<std::size_t>(options.no_repeat_ngram_size)),
      seed_(options.seed),
      steering_(std::move(steering)) {}

void Sampler::accept(std::int32_t token) {
  if (steering_.presence_penalty != 0.0 || steering_.frequency_penalty != 0.0) ++counts_[token];
  if (steering_.constraint) steering_.constraint->accept(token);
}

bool Sampler::nothing_left() const { return *std::ranges::max_element(scores_) == kOut; }

void Sampler::steer() {
  for (const auto& [id, bias] : steering_.logit_bias) scores_[index_of(id)] += bias;
  for (const auto& [id, count] : counts_) {
    scores_[index_of(id)] -=
        static_cast<float>(steering_.presence_penalty + steering_.frequency_penalty * count);
  }
  if (steering_.constraint) steering_.constraint->mask(scores_);
}

std::span<const float> Sampler::processed(std::span<const float> logits,
                                          std::span<const std::int32_t> ids) {
  require_finite_logits(logits);
  scores_.assign(logits.begin(), logits.end());
  if (repetition_penalty_ != 1.0) penalize_repetition(scores_, ids, repetition_penalty_);
  if (ngram_ > 0) ban_repeated_ngrams(scores_, ids, ngram_);
  steer();
  if (nothing_left() && steering_.constraint) {
    // The constraint is what the answer has to be; the ban is a wish.
    scores_.assign(logits.begin(), logits.end());
    steer();
  }
  if (nothing_left()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("no_repeat_ngram_size {} leaves no token to choose; raise it or ask "
                            "for fewer tokens",
                            ngram_));
  }
  if (temperature_ == 0.0) return scores_;
  if (temperature_ != 1.0) apply_temperature(scores_, temperature_);
  keep_top_k(scores_, top_k_);
  if (top_p_ < 1.0) keep_top_p(scores_, top_p_);
  if (min_p_ > 0.0) keep_min_p(scores_, min_p_);
  return scores_;
}

std::int32_t Sampler::sample(std::span<const float> logits, std::span<const std::int32_t> ids,
                             std::size_t position) {
  const std::span<const float> scores = processed(logits, ids);
  const std::int32_t best = largest(scores);
  if (temperature_ == 0.0) return best;

  const double most = static_cast<double>(scores[index_of(best)]);
  const std::vector<std::int32_t> left = candidates(scores);
  std::vector<double> sums(left.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    sum += std::exp(static_cast<double>(scores[index_of(left[i])]) - most);
    sums[i] = sum;
  }
  const double drawn = random_unit(seed_, position) * sum;
  const auto chosen = std::ranges::upper_bound(sums, drawn);
  // Rounding can make the product equal to the whole sum.
  const auto last = static_cast<std::ptrdiff_t>(left.size()) - 1;
  return left[static_cast<std::size_t>(std::min(chosen - sums.begin(), last))];
}

LogProbabilities log_probabilities(std::span<const float> logits, std::int32_t chosen,
                                   std::size_t top) {
  const auto most = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  const double log_sum = most + std::log(sum);
  const auto log_probability = [&](std::int32_t id) {
    return static_cast<float>(static_cast<double>(logits[index_of(id)]) - log_sum);
  };

  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(top, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), [&](std::int32_t a, std::int32_t b) {
    const float x = logits[index_of(a)];
    const float y = logits[index_of(b)];
    return x > y || (x == y && a < b);
  });
  LogProbabilities report{log_probability(chosen), {}};
  for (auto id = ids.begin(); id != end; ++id) report.top.emplace_back(*id, log_probability(*id));
  return report;
}

}  // namespace vl2
