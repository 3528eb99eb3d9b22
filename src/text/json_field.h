// SPDX-License-Identifier: MIT
// A value inside a JSON file that knows its place, so that every error names file and field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "vl2/error.h"

namespace vl2 {

// A view: the document must outlive it.
class JsonField {
 public:
  // The root of a document. `file` is what errors call it, `code` which kind they are.
  JsonField(const nlohmann::json& value, std::string file,
            ErrorCode code = ErrorCode::bad_checkpoint);

  // Members. `at` throws where it is missing; `find` gives nothing for missing and for null.
  JsonField at(const char* key) const;
  std::optional<JsonField> find(const char* key) const;

  // The value, or an error where it has another type.
  const std::string& string() const;
  std::int64_t integer(std::int64_t lowest, std::int64_t highest) const;
  bool boolean() const;
  const nlohmann::json& object() const;
  const nlohmann::json& array() const;
  std::vector<JsonField> elements() const;  // of an array

  // An optional member, or its default.
  bool boolean_or(const char* key, bool otherwise) const;
  std::string string_or(const char* key, std::string_view otherwise) const;

  const nlohmann::json& value() const { return *value_; }
  const std::string& where() const { return where_; }  // "FILE: field a.b[3]"
  [[noreturn]] void fail(std::string_view message) const;

 private:
  JsonField child(const nlohmann::json& value, const std::string& name) const;

  const nlohmann::json* value_;
  std::string file_;
  ErrorCode code_;
  std::string path_;
  std::string where_;
};

// Parses text. Throws an Error of that code naming `file`.
nlohmann::json parse_json(std::string_view text, const std::string& file,
                          ErrorCode code = ErrorCode::bad_checkpoint);

}  // namespace vl2
