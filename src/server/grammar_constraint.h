// SPDX-License-Identifier: MIT
// Keeps an answer to the words of a grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/steering.h"
#include "server/byte_grammar.h"
#include "server/token_trie.h"

namespace vl2 {

// A grammar and what was found out about it. Shared by the requests that use it, all of them on the
// engine's thread.
class GrammarMasks {
 public:
  GrammarMasks(ByteGrammar grammar, ByteGrammar::RuleId start,
               std::shared_ptr<const TokenTrie> trie);

  ByteAutomaton& automaton() noexcept { return *automaton_; }
  const TokenTrie& trie() const noexcept { return *trie_; }
  // A bit a token: those that may come next.
  const std::vector<std::uint64_t>& mask(ByteAutomaton::State state);

  // It has grown to its limit; fresh() is the same without what was found out.
  bool full() const noexcept;
  std::shared_ptr<GrammarMasks> fresh() const;

 private:
  ByteGrammar grammar_;
  ByteGrammar::RuleId start_;
  std::shared_ptr<const TokenTrie> trie_;
  std::optional<ByteAutomaton> automaton_;
  std::unordered_map<ByteAutomaton::State, std::vector<std::uint64_t>> masks_;
};

class GrammarConstraint : public TokenConstraint {
 public:
  explicit GrammarConstraint(std::shared_ptr<GrammarMasks> masks);

  void mask(std::span<float> logits) override;
  void accept(std::int32_t token) override;

 private:
  void read(std::string_view bytes);

  std::shared_ptr<GrammarMasks> masks_;
  ByteAutomaton::State state_;
  std::string text_;  // so far
};

}  // namespace vl2
