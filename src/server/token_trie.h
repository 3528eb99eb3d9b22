// SPDX-License-Identifier: MIT
// A vocabulary as a tree of bytes, to find the tokens that an automaton lets through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "server/byte_grammar.h"
#include "text/tokenizer.h"

namespace vl2 {

// Immutable. Special tokens are not in it.
class TokenTrie {
 public:
  explicit TokenTrie(const Tokenizer& tokenizer);

  const Tokenizer& tokenizer() const noexcept { return tokenizer_; }

  // A bit a token, set for those whose bytes the automaton can read from that state on.
  std::vector<std::uint64_t> readable(ByteAutomaton& automaton, ByteAutomaton::State state) const;

 private:
  using Entry = std::pair<std::string_view, std::int32_t>;
  struct Node {
    std::uint8_t byte = 0;
    std::uint32_t depth = 0;  // bytes before this one
    std::uint32_t end = 0;    // the node behind this one and all that begin like it
    std::uint32_t first = 0;  // index into ids_ of the tokens that end here
    std::uint32_t count = 0;
  };
  void add_nodes(std::span<const Entry> entries, std::uint32_t depth);

  Tokenizer tokenizer_;
  std::vector<Node> nodes_;  // each before those that begin like it
  std::vector<std::int32_t> ids_;
  std::size_t deepest_ = 0;
};

}  // namespace vl2
