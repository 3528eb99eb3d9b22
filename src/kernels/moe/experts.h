// SPDX-License-Identifier: MIT
// The routed experts of a mixture-of-experts layer (DeepSeekMoE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernel_set.h"
#include "tensor/arena.h"
#include "tensor/packed.h"
#include "tensor/rows.h"
#include "tensor/weight.h"

namespace vl2 {

// Which experts a token goes to, in order of rank (the best score first, ties to the lower
// index), and what each result is multiplied by. Both [token][top_k].
struct Routing {
  std::size_t top_k = 0;
  std::span<std::uint32_t> experts;
  std::span<float> weights;
};

// config: topk_method.
enum class TopkMethod { greedy, group_limited_greedy, noaux_tc };
// config: scoring_func.
enum class ScoringFunc { softmax, sigmoid };

struct RouterRule {
  TopkMethod topk_method = TopkMethod::greedy;
  ScoringFunc scoring_func = ScoringFunc::softmax;
  std::size_t top_k = 0;  // num_experts_per_tok
  std::size_t n_group = 1;
  std::size_t topk_group = 1;
  bool norm_topk_prob = false;
  float routed_scaling_factor = 1.0F;
  const float* score_correction_bias = nullptr;  // [experts], noaux_tc only; fp32
};

// Turns router logits [token][experts] into a routing. Overwrites the logits with scores. A NaN
// logit counts as the lowest number there is, so weights are always finite.
Routing route(const KernelSet& kernels, const ThreadTeam& team, const RouterRule& rule, Rows logits,
              Arena& arena);

// An expert is down(silu(gate x) * up x). gate_up: stack of experts, each with pairs of panels
// (16 rows of gate, 16 of up; StoreGated), depth = hidden; down: columns = hidden, depth = the
// expert's width (moe_intermediate_size).
struct ExpertWeights {
  Weight gate_up;
  Weight down;
};

// Tokens and the experts they go to; a row of `x` and a row of `routing` each.
struct RoutedTokens {
  const Packed& x;
  const Routing& routing;
};

struct ExpertTurnSize {
  std::size_t tokens = 0;
  std::size_t top_k = 0;
  std::size_t hidden = 0;
  std::size_t experts = 0;
  std::size_t threads = 1;
};

// What add_experts() keeps at a time, more tokens going in turns.
struct ExpertTurn {
  std::size_t tokens = 0;       // each has top_k rows of results
  std::size_t packed_rows = 0;  // of activations, once in hidden's and once in the expert's width
};

// For tokens that spread evenly over the experts.
ExpertTurn expert_turn(const ExpertTurnSize& size);

// out[t] += sum over ranks r, ascending, of weights[t][r] * expert[t][r](x[t]).
void add_experts(const KernelSet& kernels, const ThreadTeam& team, Arena& arena, Rows out,
                 const RoutedTokens& tokens, const ExpertWeights& experts);

}  // namespace vl2
