// SPDX-License-Identifier: MIT
#include "server/token_trie.h"

#include <algorithm>

namespace vl2 {

TokenTrie::TokenTrie(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  std::vector<Entry> entries;
  for (std::int32_t id = 0; id < tokenizer_.vocabulary_size(); ++id) {
    const std::string_view bytes = tokenizer_.bytes(id);
    if (!bytes.empty() && !tokenizer_.is_special(id)) entries.emplace_back(bytes, id);
  }
  std::ranges::sort(entries);
  add_nodes(entries, 0);
}

// `entries` share their first `depth` bytes and are longer.
void TokenTrie::add_nodes(std::span<const Entry> entries, std::uint32_t depth) {
  deepest_ = std::max<std::size_t>(deepest_, depth + 1);
  while (!entries.empty()) {
    const char byte = entries.front().first[depth];
    const auto other = std::ranges::find_if(
        entries, [&](const Entry& entry) { return entry.first[depth] != byte; });
    auto same = entries.first(static_cast<std::size_t>(other - entries.begin()));
    entries = entries.subspan(same.size());

    const std::size_t node = nodes_.size();
    nodes_.push_back(
        {static_cast<std::uint8_t>(byte), depth, 0, static_cast<std::uint32_t>(ids_.size()), 0});
    while (!same.empty() && same.front().first.size() == depth + 1) {
      ids_.push_back(same.front().second);
      ++nodes_[node].count;
      same = same.subspan(1);
    }
    if (!same.empty()) add_nodes(same, depth + 1);
    nodes_[node].end = static_cast<std::uint32_t>(nodes_.size());
  }
}

std::vector<std::uint64_t> TokenTrie::readable(ByteAutomaton& automaton,
                                               ByteAutomaton::State state) const {
  constexpr std::size_t kBits = 64;
  const auto size = static_cast<std::size_t>(tokenizer_.vocabulary_size());
  std::vector<std::uint64_t> bits((size + kBits - 1) / kBits);
  std::vector<ByteAutomaton::State> states(deepest_ + 1);
  states[0] = state;
  for (std::size_t i = 0; i < nodes_.size();) {
    const Node& node = nodes_[i];
    const ByteAutomaton::State next = automaton.next(states[node.depth], node.byte);
    if (next == ByteAutomaton::kDead) {
      i = node.end;
      continue;
    }
    states[node.depth + 1] = next;
    for (std::size_t k = 0; k < node.count; ++k) {
      const auto id = static_cast<std::size_t>(ids_[node.first + k]);
      bits[id / kBits] |= std::uint64_t{1} << id % kBits;
    }
    ++i;
  }
  return bits;
}

}  // namespace vl2
