// SPDX-License-Identifier: MIT
#include "server/response_format.h"

#include <string>
#include <utility>

#include <fmt/format.h>

namespace vl2 {

ResponseFormat parse_response_format(const RequestField& body) {
  ResponseFormat format;
  const auto field = body.find("response_format");
  if (!field) return format;
  const RequestField type = field->at("type");
  const std::string& name = type.string();
  if (name == "json_object") {
    format.type = ResponseFormat::Type::json_object;
  } else if (name == "json_schema") {
    const RequestField schema = field->at("json_schema").at("schema");
    schema.object();
    format.type = ResponseFormat::Type::json_schema;
    format.schema = std::move(schema.json());
  } else if (name != "text") {
    type.fail(
        fmt::format("Invalid value: '{}'. Supported values are: 'text', 'json_object', and "
                    "'json_schema'.",
                    name.substr(0, 64)));
  }
  return format;
}

}  // namespace vl2
