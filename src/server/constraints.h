// SPDX-License-Identifier: MIT
// The constraints of requests, and what is kept to make them quickly.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "server/box_constraint.h"
#include "server/grammar_constraint.h"
#include "server/response_format.h"

namespace vl2 {

// Any number of threads; the constraints themselves belong to the engine's.
class Constraints {
 public:
  explicit Constraints(const Tokenizer& tokenizer);

  std::shared_ptr<TokenConstraint> boxes(std::span<const std::int32_t> prompt) const;

  // The grammar that `format` asks for, which must not be text. Throws ApiError 400 for schemas
  // that it cannot keep to. The last ones stay, with what was found out about them.
  std::shared_ptr<GrammarMasks> grammar(const ResponseFormat& format);

 private:
  std::shared_ptr<const BoxTokens> boxes_;
  std::shared_ptr<const TokenTrie> trie_;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<GrammarMasks>>> grammars_;  // used last first
};

}  // namespace vl2
