// SPDX-License-Identifier: MIT
// What steers the choice of tokens beyond GenerationOptions: wishes of API clients, and grammars.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace vl2 {

// Which tokens may come next in one answer. It follows the answer token by token; the runtime calls
// it on its own thread.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;

  // Sets the logits [vocab_size] of tokens that may not come next to minus infinity. At least one
  // must stay. Does not change what the constraint knows.
  virtual void mask(std::span<float> logits) = 0;

  // The token that was chosen, one that mask() left in.
  virtual void accept(std::int32_t token) = 0;
};

struct Steering {
  // Added to the logits of these tokens, whose ids the model knows.
  std::vector<std::pair<std::int32_t, float>> logit_bias;
  // Taken off the logits of tokens the answer has already: once, and for every time it has them.
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;
  std::shared_ptr<TokenConstraint> constraint;  // null: none. Belongs to one request
  bool report_chosen = false;  // TokenChosen has a report even if options.logprobs is 0
};

}  // namespace vl2
