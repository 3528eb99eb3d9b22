// SPDX-License-Identifier: MIT
// A value inside a request's JSON that knows its place, so that every refusal names it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace vl2 {

// Requests keep the order of their members: schemas are read in it.
using RequestJson = nlohmann::ordered_json;

// Parses a request's body. Throws ApiError 400 for what is no JSON object, is nested deeper than
// 64 levels, has more than 200,000 values, or more than 2,048 members in one object.
RequestJson parse_request_json(std::string_view body);

// A view: the document must outlive it. All members throw ApiError 400 whose `param` is the place.
class RequestField {
 public:
  // The root of a document.
  explicit RequestField(RequestJson& value) : value_(&value) {}

  // "messages[0].content"; empty for the root.
  const std::string& path() const noexcept { return path_; }
  RequestJson& json() const noexcept { return *value_; }

  // A member of an object. `find` gives nothing for missing and for null.
  RequestField at(std::string_view key) const;
  std::optional<RequestField> find(std::string_view key) const;

  bool is_null() const noexcept { return value_->is_null(); }
  bool is_string() const noexcept { return value_->is_string(); }
  bool is_array() const noexcept { return value_->is_array(); }
  bool is_object() const noexcept { return value_->is_object(); }

  const std::string& string() const;
  // Moves it out of the document, for long ones.
  std::string take_string() const;
  std::int64_t integer(std::int64_t lowest, std::int64_t highest) const;
  double number(double lowest, double highest) const;
  bool boolean() const;
  std::vector<RequestField> elements() const;  // of an array
  const RequestJson& object() const;

  // Optional members, or their defaults.
  bool boolean_or(std::string_view key, bool otherwise) const;
  std::string string_or(std::string_view key, std::string_view otherwise) const;
  double number_or(std::string_view key, double lowest, double highest, double otherwise) const;

  [[noreturn]] void fail(const std::string& message,
                         const std::string& code = "invalid_value") const;

 private:
  RequestField(RequestJson& value, std::string path) : value_(&value), path_(std::move(path)) {}
  [[noreturn]] void wrong_type(std::string_view expected) const;

  RequestJson* value_;
  std::string path_;
};

}  // namespace vl2
