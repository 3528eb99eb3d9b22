// SPDX-License-Identifier: MIT
// The shape an answer is to have.
#pragma once

#include "server/request_field.h"

namespace vl2 {

struct ResponseFormat {
  enum class Type { text, json_object, json_schema };
  Type type = Type::text;
  RequestJson schema;  // of json_schema
};

// From the field `response_format`, if there is one. Throws ApiError 400 naming the field.
ResponseFormat parse_response_format(const RequestField& body);

}  // namespace vl2
