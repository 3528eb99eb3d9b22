// SPDX-License-Identifier: MIT
// Languages of bytes: context-free grammars, and automata that read them byte by byte.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace vl2 {

using ByteSet = std::bitset<256>;

// Rules are alternatives, alternatives are sequences of sets of bytes and of other rules. No rule
// may begin with itself, by way of others neither, unless nothing follows.
class ByteGrammar {
 public:
  using RuleId = std::uint32_t;
  using Symbol = std::variant<ByteSet, RuleId>;
  using Sequence = std::vector<Symbol>;

  // A rule without alternatives yet, so that others can name it.
  RuleId new_rule();
  void add(RuleId rule, Sequence alternative);
  // Rules are often made whole.
  RuleId rule(std::vector<Sequence> alternatives);

  std::size_t size() const noexcept { return size_; }  // symbols in all
  std::span<const Sequence> alternatives(RuleId rule) const { return rules_[rule]; }
  std::size_t rule_count() const noexcept { return rules_.size(); }

 private:
  std::vector<std::vector<Sequence>> rules_;
  std::size_t size_ = 0;
};

// Sequences that are written often.
ByteSet one_byte(char c);
ByteSet byte_range(unsigned char first, unsigned char last);
void append_text(ByteGrammar::Sequence& sequence, std::string_view text);
ByteGrammar::Sequence text_sequence(std::string_view text);

// Reads the language of a rule. All states that can still become a word are kept, as stacks of
// places to go on at; sets of stacks are numbered as they are met, so that reading on from a set
// that was met before is looking into a table. One thread at a time.
class ByteAutomaton {
 public:
  using State = std::int32_t;
  static constexpr State kDead = -1;  // no word begins like that

  ByteAutomaton(const ByteGrammar& grammar, ByteGrammar::RuleId start);

  State start() const noexcept { return start_; }
  State next(State state, unsigned char byte) {
    const State known = states_[static_cast<std::size_t>(state)].next[byte];
    return known != kUnknown ? known : find_next(state, byte);
  }
  // What was read is a word.
  bool accepts(State state) const { return states_[static_cast<std::size_t>(state)].accepts; }

  std::size_t state_count() const noexcept { return states_.size(); }

 private:
  static constexpr State kUnknown = -2;

  // A place in an alternative, and the places to return to behind it: a shared list.
  struct Frame {
    std::uint32_t place;
    std::int32_t below;  // a frame, or -1
    friend auto operator<=>(const Frame&, const Frame&) = default;
  };
  using FrameId = std::int32_t;
  struct StateData {
    std::vector<FrameId> frames;  // places before a set of bytes, in order
    bool accepts = false;
    std::array<State, 256> next;
  };
  struct Expansion {
    std::vector<FrameId> frames;
    std::vector<FrameId> visited;
    bool accepts = false;
  };

  State find_next(State state, unsigned char byte);
  State state_of(Expansion expansion);
  FrameId frame(std::uint32_t place, FrameId below);
  void expand(FrameId at, Expansion& into);
  void enter(ByteGrammar::RuleId rule, FrameId below, Expansion& into);

  // Alternatives laid out one behind the other, each with an end: places are indices.
  struct Place {
    bool is_end = false;
    bool is_rule = false;
    ByteGrammar::RuleId rule = 0;
    std::uint32_t bytes = 0;  // index into sets_
  };
  std::vector<Place> places_;
  std::vector<ByteSet> sets_;
  std::vector<std::vector<std::uint32_t>> entries_;  // [rule] places of its alternatives
  std::vector<Frame> frames_;
  std::map<Frame, FrameId> frame_ids_;
  std::vector<StateData> states_;
  std::map<std::pair<std::vector<FrameId>, bool>, State> state_ids_;
  State start_ = kDead;
};

}  // namespace vl2
