// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "kernels/moe/experts.h"

namespace vl2 {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kHighest = std::numeric_limits<float>::max();

// A token's experts by falling score, equal ones by rising index. Holds no more than `most`.
class Ranking {
 public:
  Ranking(std::span<std::uint32_t> experts, std::span<float> scores)
      : experts_(experts), scores_(scores) {}

  // Experts are offered by rising index, so one that only equals another stays behind it.
  void offer(std::size_t expert, float score) noexcept {
    if (count_ == experts_.size()) {
      if (!(score > scores_[count_ - 1])) return;
      --count_;
    }
    std::size_t place = count_++;
    for (; place > 0 && score > scores_[place - 1]; --place) {
      experts_[place] = experts_[place - 1];
      scores_[place] = scores_[place - 1];
    }
    experts_[place] = static_cast<std::uint32_t>(expert);
    scores_[place] = score;
  }

 private:
  std::span<std::uint32_t> experts_;
  std::span<float> scores_;
  std::size_t count_ = 0;
};

// An infinite logit would turn every score of its token into NaN, and NaN has no place in an
// order: NaN counts as the lowest number there is, so it is chosen last.
void make_finite(std::span<float> row) noexcept {
  for (float& value : row)
    value = std::isnan(value) ? kLowest : std::clamp(value, kLowest, kHighest);
}

// What an expert is chosen by: its score, for noaux_tc with the bias that balances the load.
void choice_scores(const RouterRule& rule, std::span<const float> scores,
                   std::span<float> choice) noexcept {
  std::copy(scores.begin(), scores.end(), choice.begin());
  if (rule.topk_method != TopkMethod::noaux_tc || rule.score_correction_bias == nullptr) return;
  for (std::size_t i = 0; i < choice.size(); ++i) choice[i] += rule.score_correction_bias[i];
  make_finite(choice);
}

// A group counts as much as its best expert, for noaux_tc as its two best together.
float group_score(TopkMethod method, std::span<const float> group) noexcept {
  float best = kLowest;
  float second = kLowest;
  for (const float score : group) {
    second = std::max(second, std::min(best, score));
    best = std::max(best, score);
  }
  return method == TopkMethod::noaux_tc && group.size() > 1 ? best + second : best;
}

// Sets the experts outside the topk_group best groups to 0. Not to minus infinity, as one might
// expect: where all others are negative, such an expert can be chosen (as in the original).
// `group_scores` is room for n_group numbers.
void mask_groups(const RouterRule& rule, std::span<float> choice,
                 std::span<float> group_scores) noexcept {
  const std::size_t size = choice.size() / rule.n_group;
  for (std::size_t i = 0; i < rule.n_group; ++i)
    group_scores[i] = group_score(rule.topk_method, choice.subspan(i * size, size));
  for (std::size_t i = 0; i < rule.n_group; ++i) {
    std::size_t better = 0;
    for (std::size_t other = 0; other < rule.n_group; ++other)
      if (group_scores[other] > group_scores[i] ||
          (group_scores[other] == group_scores[i] && other < i))
        ++better;
    if (better >= rule.topk_group) std::ranges::fill(choice.subspan(i * size, size), 0.0F);
  }
}

// Both for the top_k experts of a token. norm_topk_prob does not spare a weight the factor, unlike
// in DeepSeek-V2's own release.
void scale_weights(const RouterRule& rule, std::span<float> weights) noexcept {
  if (rule.norm_topk_prob && rule.top_k > 1) {
    float sum = 0.0F;
    for (const float weight : weights) sum += weight;
    sum += 1e-20F;
    for (float& weight : weights) weight /= sum;
  }
  for (float& weight : weights) weight *= rule.routed_scaling_factor;
}

// One token. `scores` are what softmax or sigmoid made of its logits; `scratch` is room for as many
// numbers and n_group more.
void route_token(const RouterRule& rule, std::span<const float> scores, std::span<float> scratch,
                 std::span<std::uint32_t> experts, std::span<float> weights) noexcept {
  const std::span<float> choice = scratch.first(scores.size());
  choice_scores(rule, scores, choice);
  if (rule.topk_method != TopkMethod::greedy && rule.n_group > 1)
    mask_groups(rule, choice, scratch.subspan(scores.size()));

  Ranking ranking(experts, weights);
  for (std::size_t i = 0; i < choice.size(); ++i) ranking.offer(i, choice[i]);
  if (rule.topk_method == TopkMethod::noaux_tc)  // the bias takes part in choosing only
    for (std::size_t rank = 0; rank < rule.top_k; ++rank) weights[rank] = scores[experts[rank]];
  scale_weights(rule, weights);
}

}  // namespace

Routing route(const KernelSet& kernels, const ThreadTeam& team, const RouterRule& rule, Rows logits,
              Arena& arena) {
  VL2_ASSERT(rule.top_k > 0 && rule.top_k <= logits.width);
  VL2_ASSERT(rule.n_group > 0 && logits.width % rule.n_group == 0);
  constexpr std::size_t kTokensWorthAThread = 16;
  const std::size_t top_k = rule.top_k;
  const Routing routing{top_k, arena.array<std::uint32_t>(logits.count * top_k),
                        arena.array<float>(logits.count * top_k)};
  const ScratchScope scope(arena);
  const Rows scratch = arena.rows(logits.count, logits.width + rule.n_group);
  const auto to_scores = rule.scoring_func == ScoringFunc::softmax ? kernels.rowwise->softmax
                                                                   : kernels.rowwise->sigmoid;
  team.split(logits.count, kTokensWorthAThread, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      make_finite(logits[i]);
      to_scores(logits.row(i), logits.width);
      route_token(rule, logits[i], scratch[i], routing.experts.subspan(i * top_k, top_k),
                  routing.weights.subspan(i * top_k, top_k));
    }
  });
  return routing;
}

}  // namespace vl2
