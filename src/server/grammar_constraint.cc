// SPDX-License-Identifier: MIT
#include "server/grammar_constraint.h"

#include <limits>
#include <utility>

namespace vl2 {
namespace {

// A state takes about a kilobyte, a mask a bit a token.
constexpr std::size_t kMostStates = 10'000;
constexpr std::size_t kMostMasks = 500;

}  // namespace

GrammarMasks::GrammarMasks(ByteGrammar grammar, ByteGrammar::RuleId start,
                           std::shared_ptr<const TokenTrie> trie)
    : grammar_(std::move(grammar)), start_(start), trie_(std::move(trie)) {
  automaton_.emplace(grammar_, start_);
}

const std::vector<std::uint64_t>& GrammarMasks::mask(ByteAutomaton::State state) {
  const auto known = masks_.find(state);
  if (known != masks_.end()) return known->second;
  return masks_.emplace(state, trie_->readable(*automaton_, state)).first->second;
}

bool GrammarMasks::full() const noexcept {
  return automaton_->state_count() > kMostStates || masks_.size() > kMostMasks;
}

std::shared_ptr<GrammarMasks> GrammarMasks::fresh() const {
  return std::make_shared<GrammarMasks>(grammar_, start_, trie_);
}

GrammarConstraint::GrammarConstraint(std::shared_ptr<GrammarMasks> masks)
    : masks_(std::move(masks)), state_(masks_->automaton().start()) {}

void GrammarConstraint::mask(std::span<float> logits) {
  constexpr float kOut = -std::numeric_limits<float>::infinity();
  if (masks_->full()) {
    masks_ = masks_->fresh();
    state_ = masks_->automaton().start();
    read(text_);
  }
  constexpr std::size_t kBits = 64;
  const std::vector<std::uint64_t>& bits = masks_->mask(state_);
  const auto end = static_cast<std::size_t>(masks_->trie().tokenizer().eos_id());
  for (std::size_t id = 0; id < logits.size(); ++id) {
    const bool is_readable = id / kBits < bits.size() && (bits[id / kBits] >> id % kBits & 1U) != 0;
    const bool is_end = id == end && masks_->automaton().accepts(state_);
    if (!is_readable && !is_end) logits[id] = kOut;
  }
}

void GrammarConstraint::accept(std::int32_t token) {
  const Tokenizer& tokenizer = masks_->trie().tokenizer();
  if (tokenizer.is_special(token)) return;
  text_ += tokenizer.bytes(token);
  read(tokenizer.bytes(token));
}

void GrammarConstraint::read(std::string_view bytes) {
  for (const char c : bytes) {
    if (state_ == ByteAutomaton::kDead) return;
    state_ = masks_->automaton().next(state_, static_cast<unsigned char>(c));
  }
}

}  // namespace vl2
