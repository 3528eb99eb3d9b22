// SPDX-License-Identifier: MIT
#include "server/request_field.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "server/api_error.h"

namespace vl2 {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kMostValues = 200'000;
// Members are found one by one, so that many in one object would take quadratic time.
constexpr std::size_t kMostMembers = 2'048;

std::string_view type_name(const RequestJson& value) {
  switch (value.type()) {
    case RequestJson::value_t::null:
      return "null";
    case RequestJson::value_t::object:
      return "an object";
    case RequestJson::value_t::array:
      return "an array";
    case RequestJson::value_t::string:
      return "a string";
    case RequestJson::value_t::boolean:
      return "a boolean";
    case RequestJson::value_t::number_integer:
    case RequestJson::value_t::number_unsigned:
      return "an integer";
    default:
      return "a number";
  }
}

// Follows the parser and stops it before a document becomes expensive.
class ParseLimits {
 public:
  void check(int depth, RequestJson::parse_event_t event) {
    if (depth > kDeepest) refuse(fmt::format("is nested deeper than {} levels.", kDeepest));
    if (++values_ > kMostValues) refuse(fmt::format("has more than {} values.", kMostValues));
    // The key of a member of an object that began at depth - 1.
    auto& members = members_[static_cast<std::size_t>(depth)];
    if (event == RequestJson::parse_event_t::object_start)
      members_[static_cast<std::size_t>(depth) + 1] = 0;
    if (event == RequestJson::parse_event_t::key && ++members > kMostMembers)
      refuse(fmt::format("has an object with more than {} members.", kMostMembers));
  }

 private:
  [[noreturn]] static void refuse(const std::string& why) {
    throw bad_request("The body " + why, {}, "invalid_json");
  }

  std::size_t values_ = 0;
  std::array<std::size_t, kDeepest + 2> members_{};  // [depth]
};

}  // namespace

RequestJson parse_request_json(std::string_view body) {
  ParseLimits limits;
  const auto check = [&](int depth, RequestJson::parse_event_t event, RequestJson&) {
    limits.check(depth, event);
    return true;
  };
  try {
    RequestJson json = RequestJson::parse(body, check);
    if (!json.is_object()) throw bad_request("The body must be a JSON object.", {}, "invalid_json");
    return json;
  } catch (const RequestJson::parse_error& error) {
    throw bad_request(fmt::format("The body is not valid JSON: error at byte {}.", error.byte), {},
                      "invalid_json");
  } catch (const RequestJson::exception&) {
    throw bad_request("The body has a number that is out of range.", {}, "invalid_json");
  }
}

void RequestField::fail(const std::string& message, const std::string& code) const {
  throw bad_request(message, path_, code);
}

void RequestField::wrong_type(std::string_view expected) const {
  fail(fmt::format("Invalid type for '{}': expected {}, but got {} instead.", path_, expected,
                   type_name(*value_)),
       "invalid_type");
}

std::optional<RequestField> RequestField::find(std::string_view key) const {
  if (!value_->is_object()) wrong_type("an object");
  const auto member = value_->find(key);
  if (member == value_->end() || member->is_null()) return {};
  std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  return RequestField(*member, std::move(path));
}

RequestField RequestField::at(std::string_view key) const {
  if (auto member = find(key)) return *std::move(member);
  const std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  throw bad_request(fmt::format("Missing required parameter: '{}'.", path), path,
                    "missing_required_parameter");
}

const std::string& RequestField::string() const {
  if (!value_->is_string()) wrong_type("a string");
  return value_->get_ref<const std::string&>();
}

std::string RequestField::take_string() const {
  if (!value_->is_string()) wrong_type("a string");
  return std::move(value_->get_ref<std::string&>());
}

std::int64_t RequestField::integer(std::int64_t lowest, std::int64_t highest) const {
  const bool too_large =
      value_->is_number_unsigned() && value_->get<std::uint64_t>() > std::uint64_t{INT64_MAX};
  // Some clients write 16.0.
  const bool whole = value_->is_number_float() && value_->get<double>() >= -9e15 &&
                     value_->get<double>() <= 9e15 &&
                     value_->get<double>() ==
                         static_cast<double>(static_cast<std::int64_t>(value_->get<double>()));
  if (!value_->is_number_integer() && !whole) wrong_type("an integer");
  const std::int64_t value = too_large ? INT64_MAX : value_->get<std::int64_t>();
  if (value < lowest)
    fail(fmt::format("Invalid '{}': integer below minimum value. Expected a value >= {}, but got "
                     "{} instead.",
                     path_, lowest, value),
         "integer_below_min_value");
  if (value > highest)
    fail(fmt::format("Invalid '{}': integer above maximum value. Expected a value <= {}, but got "
                     "{} instead.",
                     path_, highest, value),
         "integer_above_max_value");
  return value;
}

double RequestField::number(double lowest, double highest) const {
  if (!value_->is_number()) wrong_type("a number");
  const double value = value_->get<double>();
  if (!(value >= lowest))
    fail(fmt::format("Invalid '{}': decimal below minimum value. Expected a value >= {}, but got "
                     "{} instead.",
                     path_, lowest, value),
         "decimal_below_min_value");
  if (!(value <= highest))
    fail(fmt::format("Invalid '{}': decimal above maximum value. Expected a value <= {}, but got "
                     "{} instead.",
                     path_, highest, value),
         "decimal_above_max_value");
  return value;
}

bool RequestField::boolean() const {
  if (!value_->is_boolean()) wrong_type("a boolean");
  return value_->get<bool>();
}

std::vector<RequestField> RequestField::elements() const {
  if (!value_->is_array()) wrong_type("an array");
  std::vector<RequestField> fields;
  for (std::size_t i = 0; i < value_->size(); ++i)
    fields.push_back(RequestField((*value_)[i], fmt::format("{}[{}]", path_, i)));
  return fields;
}

const RequestJson& RequestField::object() const {
  if (!value_->is_object()) wrong_type("an object");
  return *value_;
}

bool RequestField::boolean_or(std::string_view key, bool otherwise) const {
  const auto member = find(key);
  return member ? member->boolean() : otherwise;
}

double RequestField::number_or(std::string_view key, double lowest, double highest,
                               double otherwise) const {
  const auto member = find(key);
  return member ? member->number(lowest, highest) : otherwise;
}

std::string RequestField::string_or(std::string_view key, std::string_view otherwise) const {
  const auto member = find(key);
  return member ? member->string() : std::string(otherwise);
}

}  // namespace vl2
