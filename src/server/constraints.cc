// SPDX-License-Identifier: MIT
#include "server/constraints.h"

#include <algorithm>

#include "server/json_grammar.h"

namespace vl2 {

Constraints::Constraints(const Tokenizer& tokenizer)
    : boxes_(std::make_shared<BoxTokens>(tokenizer)),
      trie_(std::make_shared<TokenTrie>(tokenizer)) {}

std::shared_ptr<TokenConstraint> Constraints::boxes(std::span<const std::int32_t> prompt) const {
  return std::make_shared<BoxConstraint>(boxes_, prompt);
}

std::shared_ptr<GrammarMasks> Constraints::grammar(const ResponseFormat& format) {
  constexpr std::size_t kMostGrammars = 16;
  const bool any_object = format.type == ResponseFormat::Type::json_object;
  const std::string name = any_object ? std::string() : format.schema.dump();
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(grammars_, name, [](const auto& one) { return one.first; });
  if (known != grammars_.end()) {
    grammars_.splice(grammars_.begin(), grammars_, known);
    return known->second;
  }
  JsonGrammar json =
      any_object ? json_object_grammar() : json_schema_grammar(format.schema, format.param);
  grammars_.emplace_front(
      name, std::make_shared<GrammarMasks>(std::move(json.grammar), json.start, trie_));
  if (grammars_.size() > kMostGrammars) grammars_.pop_back();
  return grammars_.front().second;
}

}  // namespace vl2
