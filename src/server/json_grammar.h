// SPDX-License-Identifier: MIT
// Grammars of JSON texts: any object, or what a JSON Schema describes.
#pragma once

#include <string>

#include "server/byte_grammar.h"
#include "server/request_field.h"

namespace vl2 {

struct JsonGrammar {
  ByteGrammar grammar;
  ByteGrammar::RuleId start = 0;
};

JsonGrammar json_object_grammar();

// Texts that the schema accepts, with members in the schema's order and white space only where
// people put it: a space, or a line break and its indentation. Understands type (and lists of
// types), properties, required, additionalProperties, items, prefixItems, minItems, maxItems, enum,
// const, minLength, maxLength, pattern, minimum, maximum (of integers), anyOf, oneOf, allOf with
// one entry, $ref into the schema itself; ignores annotations. Throws ApiError 400 naming the place
// for everything else, because an answer could break it.
JsonGrammar json_schema_grammar(const RequestJson& schema, const std::string& param);

}  // namespace vl2
