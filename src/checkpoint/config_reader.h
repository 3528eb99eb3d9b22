// SPDX-License-Identifier: MIT
// Typed, checked access to the fields of one JSON object of a configuration file.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace vl2 {

// Both ends are allowed.
struct IntegerRange {
  int least = 0;
  int most = 0;
};

struct NumberRange {
  double least = 0;
  double most = 0;
};

template <class Enum>
struct Choice {
  std::string_view name;
  Enum value;
};

// Reading functions take the value that an absent key stands for; without one the key is
// required. A key that is present but null is not absent: it is an error, unless the function's
// comment says what it means. All throw Error{bad_checkpoint} naming file, field and value when
// the value has the wrong type or is out of range.
class ConfigReader {
 public:
  // `text` is the whole file; `file` is what messages call it.
  static ConfigReader parse(std::string_view text, std::string file);
  // The object under `key`; an empty one if absent.
  ConfigReader object(const std::string& key) const;

  bool has(const std::string& key) const { return object_.contains(key); }
  bool is_null_or_absent(const std::string& key) const;

  int integer(const std::string& key, IntegerRange range) const;
  int integer(const std::string& key, IntegerRange range, int absent) const;
  // null is nothing.
  std::optional<int> optional_integer(const std::string& key, IntegerRange range,
                                      std::optional<int> absent) const;
  // One integer or a list of them; null is none.
  std::vector<int> integers(const std::string& key, IntegerRange range, int absent) const;
  double number(const std::string& key, NumberRange range) const;
  double number(const std::string& key, NumberRange range, double absent) const;
  // A list of `count` numbers.
  std::vector<double> numbers(const std::string& key, std::size_t count, NumberRange range,
                              std::vector<double> absent) const;
  // null is false, as in Python.
  bool boolean(const std::string& key, bool absent) const;
  std::string text(const std::string& key) const;
  std::string text(const std::string& key, const std::string& absent) const;
  // A list of pairs of integers, with at least one and at most `most` of them.
  std::vector<std::pair<int, int>> pairs(const std::string& key, IntegerRange range,
                                         std::size_t most) const;
  // One of the names; throws Error{unsupported} listing them for any other.
  template <class Enum>
  Enum choice(const std::string& key, std::optional<std::string> absent,
              std::initializer_list<Choice<Enum>> choices) const;

  // "config.json: language_config.width is 3, <what>". With Error{bad_checkpoint}.
  [[noreturn]] void contradicts(const std::string& key, const std::string& what) const;
  // The same with Error{unsupported}.
  [[noreturn]] void unsupported(const std::string& key, const std::string& what) const;

 private:
  ConfigReader(std::string file, std::string prefix, nlohmann::json object)
      : file_(std::move(file)), prefix_(std::move(prefix)), object_(std::move(object)) {}

  // nullptr when the key is absent.
  const nlohmann::json* find(const std::string& key) const;
  const nlohmann::json& required(const std::string& key) const;
  int checked_integer(const std::string& key, const nlohmann::json& value,
                      IntegerRange range) const;
  double checked_number(const std::string& key, const nlohmann::json& value,
                        NumberRange range) const;
  std::string checked_text(const std::string& key, const nlohmann::json& value) const;
  // "file: field is value"
  std::string statement(const std::string& key) const;

  std::string file_;
  std::string prefix_;  // "language_config." inside that object
  nlohmann::json object_;
};

template <class Enum>
Enum ConfigReader::choice(const std::string& key, std::optional<std::string> absent,
                          std::initializer_list<Choice<Enum>> choices) const {
  const std::string name = absent ? text(key, *absent) : text(key);
  std::string supported;
  for (const Choice<Enum>& choice : choices) {
    if (choice.name == name) return choice.value;
    supported.append(supported.empty() ? "" : ", ").append(choice.name);
  }
  unsupported(key, has(key) ? "supported: " + supported
                            : "which stands for \"" + name + "\"; supported: " + supported);
}

}  // namespace vl2
