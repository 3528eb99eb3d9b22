// SPDX-License-Identifier: MIT
// The shape an answer is to have.
#pragma once

#include <string>

#include "server/request_field.h"

namespace vl2 {

struct ResponseFormat {
  enum class Type { text, json_object, json_schema };
  Type type = Type::text;
  RequestJson schema = {};                                   // of json_schema
  std::string param = "response_format.json_schema.schema";  // its place in the request
};

// From the field `response_format`, if there is one. Throws ApiError 400 naming the field.
ResponseFormat parse_response_format(const RequestField& body);

}  // namespace vl2
