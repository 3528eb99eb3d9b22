// SPDX-License-Identifier: MIT
#include "text/json_field.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json_fwd.hpp>

#include "vl2/error.h"

namespace vl2 {

JsonField::JsonField(const nlohmann::json& value, std::string file, ErrorCode code)
    : value_(&value), file_(std::move(file)), code_(code), where_(file_) {}

JsonField JsonField::child(const nlohmann::json& value, const std::string& name) const {
  JsonField result(value, file_, code_);
  const bool is_index = !name.empty() && name.front() == '[';
  result.path_ = path_.empty() || is_index ? path_ + name : fmt::format("{}.{}", path_, name);
  result.where_ = fmt::format("{}: field {}", file_, result.path_);
  return result;
}

void JsonField::fail(std::string_view message) const {
  throw Error(code_, fmt::format("{} {}", where_, message));
}

JsonField JsonField::at(const char* key) const {
  const auto member = object().find(key);
  if (member == value_->end()) {
    throw Error(code_, fmt::format("{}: field {}{}{} is missing", file_, path_,
                                   path_.empty() ? "" : ".", key));
  }
  return child(*member, key);
}

std::optional<JsonField> JsonField::find(const char* key) const {
  const auto member = object().find(key);
  if (member == value_->end() || member->is_null()) return {};
  return child(*member, key);
}

const std::string& JsonField::string() const {
  if (!value_->is_string()) fail("must be a string");
  return value_->get_ref<const std::string&>();
}

std::int64_t JsonField::integer(std::int64_t lowest, std::int64_t highest) const {
  // An unsigned number beyond int64 would wrap around in get<std::int64_t>().
  const bool fits = value_->is_number_integer() &&
                    (!value_->is_number_unsigned() || value_->get<std::uint64_t>() <= INT64_MAX);
  const std::int64_t number = fits ? value_->get<std::int64_t>() : 0;
  if (!fits || number < lowest || number > highest) {
    fail(fmt::format("must be a whole number from {} to {}, not {}", lowest, highest,
                     value_->is_primitive() ? value_->dump() : value_->type_name()));
  }
  return number;
}

bool JsonField::boolean() const {
  if (!value_->is_boolean()) fail("must be true or false");
  return value_->get<bool>();
}

const nlohmann::json& JsonField::object() const {
  if (!value_->is_object()) fail("must be an object");
  return *value_;
}

const nlohmann::json& JsonField::array() const {
  if (!value_->is_array()) fail("must be an array");
  return *value_;
}

std::vector<JsonField> JsonField::elements() const {
  std::vector<JsonField> result;
  for (const auto& element : array()) {
    result.push_back(child(element, fmt::format("[{}]", result.size())));
  }
  return result;
}

bool JsonField::boolean_or(const char* key, bool otherwise) const {
  const auto member = find(key);
  return member ? member->boolean() : otherwise;
}

std::string JsonField::string_or(const char* key, std::string_view otherwise) const {
  const auto member = find(key);
  return member ? member->string() : std::string(otherwise);
}

nlohmann::json parse_json(std::string_view text, const std::string& file, ErrorCode code) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    throw Error(code,
                fmt::format("{}: not valid JSON near byte {} of {}; the file is damaged or cut off",
                            file, error.byte, text.size()));
  } catch (const nlohmann::json::out_of_range&) {
    throw Error(code, fmt::format("{}: a number in it is too large", file));
  }
}

}  // namespace vl2
