// SPDX-License-Identifier: MIT
// From logits to a token, as generate() of Hugging Face transformers 4.38 does it: repetition
// penalty, n-gram ban, temperature, top-k, top-p, then min-p of later versions; fp32 throughout.
// What API clients may ask for on top (Steering) comes between the ban and the temperature.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vl2/engine.h"

#include "engine/steering.h"

namespace vl2 {

// The steps, each in place. Tokens that are out get minus infinity. Ids must be below
// logits.size().

// Divides positive logits and multiplies negative ones, once for every distinct id.
void penalize_repetition(std::span<float> logits, std::span<const std::int32_t> ids,
                         double penalty);
// Takes out every token that would complete an n-gram that `ids` has already.
void ban_repeated_ngrams(std::span<float> logits, std::span<const std::int32_t> ids, std::size_t n);
void apply_temperature(std::span<float> logits, double temperature);
// Keeps the k largest, and all that are equal to the smallest of them.
void keep_top_k(std::span<float> logits, std::size_t k);
// Takes out the least probable tokens while their probabilities add up to at most 1 - p, but never
// the most probable one. Of equal ones, higher ids go first.
void keep_top_p(std::span<float> logits, double p);
// Takes out tokens less probable than p times the most probable one.
void keep_min_p(std::span<float> logits, double p);
// Of the logits as they are. The largest must be finite.
void softmax(std::span<const float> logits, std::span<float> probabilities);
// The largest, of equal ones the one with the lowest id.
std::int32_t largest(std::span<const float> logits);

// Draws tokens for one request. What it gives is a function of the options, the logits, the ids
// and the position: the random number belongs to (seed, position), so nothing else that runs, and
// no restart, changes it.
class Sampler {
 public:
  // `options` must have passed check_options().
  explicit Sampler(const GenerationOptions& options, Steering steering = {});

  // The token that stands at `position` of the sequence. `ids` are those that the penalty and the
  // ban look at. Throws Error{bad_checkpoint} when a logit is not finite, and
  // Error{invalid_argument} when the ban leaves nothing to choose; a constraint goes before it.
  std::int32_t sample(std::span<const float> logits, std::span<const std::int32_t> ids,
                      std::size_t position);

  // The answer goes on with this token.
  void accept(std::int32_t token);

  // What sample() draws from, after all steps, for tests and reports. Same conditions.
  std::span<const float> processed(std::span<const float> logits,
                                   std::span<const std::int32_t> ids);

 private:
  void steer();
  bool nothing_left() const;

  double temperature_;
  std::size_t top_k_;
  double top_p_;
  double min_p_;
  double repetition_penalty_;
  std::size_t ngram_;
  std::uint64_t seed_;
  Steering steering_;
  std::unordered_map<std::int32_t, int> counts_;  // of the answer's tokens, if a penalty asks
  std::vector<float> scores_;
};

// Throws Error{bad_checkpoint} when a logit is NaN or infinite.
void require_finite_logits(std::span<const float> logits);

// Natural logarithms of the softmax of raw logits.
struct LogProbabilities {
  float chosen = 0.0F;
  std::vector<std::pair<std::int32_t, float>> top;  // the largest first, equal ones by id
};
LogProbabilities log_probabilities(std::span<const float> logits, std::int32_t chosen,
                                   std::size_t top);

}  // namespace vl2
