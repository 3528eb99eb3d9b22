// SPDX-License-Identifier: MIT
#include "server/byte_grammar.h"

#include <algorithm>

namespace vl2 {

ByteGrammar::RuleId ByteGrammar::new_rule() {
  rules_.emplace_back();
  return static_cast<RuleId>(rules_.size() - 1);
}

void ByteGrammar::add(RuleId rule, Sequence alternative) {
  size_ += alternative.size() + 1;
  rules_[rule].push_back(std::move(alternative));
}

ByteGrammar::RuleId ByteGrammar::rule(std::vector<Sequence> alternatives) {
  const RuleId id = new_rule();
  for (Sequence& alternative : alternatives) add(id, std::move(alternative));
  return id;
}

ByteSet one_byte(char c) {
  ByteSet set;
  set.set(static_cast<unsigned char>(c));
  return set;
}

ByteSet byte_range(unsigned char first, unsigned char last) {
  ByteSet set;
  for (unsigned byte = first; byte <= last; ++byte) set.set(byte);
  return set;
}

void append_text(ByteGrammar::Sequence& sequence, std::string_view text) {
  for (const char c : text) sequence.emplace_back(one_byte(c));
}

ByteGrammar::Sequence text_sequence(std::string_view text) {
  ByteGrammar::Sequence sequence;
  append_text(sequence, text);
  return sequence;
}

ByteAutomaton::ByteAutomaton(const ByteGrammar& grammar, ByteGrammar::RuleId start) {
  for (ByteGrammar::RuleId rule = 0; rule < grammar.rule_count(); ++rule) {
    entries_.emplace_back();
    for (const ByteGrammar::Sequence& alternative : grammar.alternatives(rule)) {
      entries_.back().push_back(static_cast<std::uint32_t>(places_.size()));
      for (const ByteGrammar::Symbol& symbol : alternative) {
        Place place;
        if (const auto* id = std::get_if<ByteGrammar::RuleId>(&symbol)) {
          place.is_rule = true;
          place.rule = *id;
        } else {
          place.bytes = static_cast<std::uint32_t>(sets_.size());
          sets_.push_back(std::get<ByteSet>(symbol));
        }
        places_.push_back(place);
      }
      places_.push_back({.is_end = true});
    }
  }
  Expansion first;
  enter(start, -1, first);
  start_ = state_of(std::move(first));
}

ByteAutomaton::FrameId ByteAutomaton::frame(std::uint32_t place, FrameId below) {
  const auto [entry, is_new] =
      frame_ids_.try_emplace(Frame{place, below}, static_cast<FrameId>(frames_.size()));
  if (is_new) frames_.push_back({place, below});
  return entry->second;
}

// Until every place stands before a set of bytes.
void ByteAutomaton::expand(FrameId at, Expansion& into) {
  if (std::ranges::find(into.visited, at) != into.visited.end()) return;
  into.visited.push_back(at);
  const Frame here = frames_[static_cast<std::size_t>(at)];
  const Place& place = places_[here.place];
  if (place.is_end) {
    if (here.below < 0)
      into.accepts = true;
    else
      expand(here.below, into);
  } else if (place.is_rule) {
    // What comes behind the rule; nothing does at an alternative's end, so that a rule that ends
    // with itself does not grow the stack.
    const bool is_last = places_[here.place + 1].is_end;
    enter(place.rule, is_last ? here.below : frame(here.place + 1, here.below), into);
  } else {
    into.frames.push_back(at);
  }
}

void ByteAutomaton::enter(ByteGrammar::RuleId rule, FrameId below, Expansion& into) {
  for (const std::uint32_t entry : entries_[rule]) expand(frame(entry, below), into);
}

ByteAutomaton::State ByteAutomaton::state_of(Expansion expansion) {
  if (expansion.frames.empty() && !expansion.accepts) return kDead;
  std::ranges::sort(expansion.frames);
  const auto [entry, is_new] = state_ids_.try_emplace({expansion.frames, expansion.accepts},
                                                      static_cast<State>(states_.size()));
  if (is_new) {
    states_.push_back({std::move(expansion.frames), expansion.accepts, {}});
    states_.back().next.fill(kUnknown);
  }
  return entry->second;
}

ByteAutomaton::State ByteAutomaton::find_next(State state, unsigned char byte) {
  Expansion expansion;
  // A copy: states_ may move.
  const std::vector<FrameId> frames = states_[static_cast<std::size_t>(state)].frames;
  for (const FrameId id : frames) {
    const Frame here = frames_[static_cast<std::size_t>(id)];
    if (sets_[places_[here.place].bytes].test(byte))
      expand(frame(here.place + 1, here.below), expansion);
  }
  const State next = state_of(std::move(expansion));
  states_[static_cast<std::size_t>(state)].next[byte] = next;
  return next;
}

}  // namespace vl2
