// SPDX-License-Identifier: MIT
// Regular expressions of JSON Schema (`pattern`) as grammars of JSON strings.
#pragma once

#include <string_view>

#include "server/json_pieces.h"

namespace vl2 {

// The strings, in their quotes, that the expression finds something in: anchored only where it has
// ^ and $. Understands literals, escapes, . \d \w \s and their opposites, classes, groups,
// alternatives and quantifiers. Throws Error{invalid_argument} for everything else.
ByteGrammar::RuleId pattern_rule(JsonPieces& pieces, std::string_view pattern);

}  // namespace vl2
