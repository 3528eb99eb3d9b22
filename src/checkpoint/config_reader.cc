// SPDX-License-Identifier: MIT
#include "checkpoint/config_reader.h"

#include <cstdint>

#include <fmt/format.h>

#include "vl2/error.h"

namespace vl2 {

using nlohmann::json;

ConfigReader ConfigReader::parse(std::string_view text, std::string file) {
  json object;
  try {
    object = json::parse(text);
  } catch (const json::parse_error& error) {
    throw Error(ErrorCode::bad_checkpoint,
                fmt::format("{}: is not valid JSON at byte {}", file, error.byte));
  } catch (const json::exception&) {  // a number beyond a double
    throw Error(ErrorCode::bad_checkpoint, file + ": holds a number out of range");
  }
  if (!object.is_object()) throw Error(ErrorCode::bad_checkpoint, file + ": is not a JSON object");
  return {std::move(file), "", std::move(object)};
}

ConfigReader ConfigReader::object(const std::string& key) const {
  const json* found = find(key);
  if (found == nullptr) return {file_, prefix_ + key + ".", json::object()};
  if (!found->is_object()) contradicts(key, "expected an object");
  return {file_, prefix_ + key + ".", *found};
}

bool ConfigReader::is_null_or_absent(const std::string& key) const {
  const json* found = find(key);
  return found == nullptr || found->is_null();
}

int ConfigReader::integer(const std::string& key, IntegerRange range) const {
  return checked_integer(key, required(key), range);
}

int ConfigReader::integer(const std::string& key, IntegerRange range, int absent) const {
  const json* found = find(key);
  return found == nullptr ? absent : checked_integer(key, *found, range);
}

std::optional<int> ConfigReader::optional_integer(const std::string& key, IntegerRange range,
                                                  std::optional<int> absent) const {
  const json* found = find(key);
  if (found == nullptr) return absent;
  if (found->is_null()) return std::nullopt;
  return checked_integer(key, *found, range);
}

std::vector<int> ConfigReader::integers(const std::string& key, IntegerRange range,
                                        int absent) const {
  const json* found = find(key);
  if (found == nullptr) return {absent};
  if (found->is_null()) return {};
  if (!found->is_array()) return {checked_integer(key, *found, range)};
  std::vector<int> result;
  for (const json& item : *found) result.push_back(checked_integer(key, item, range));
  return result;
}

double ConfigReader::number(const std::string& key, NumberRange range) const {
  return checked_number(key, required(key), range);
}

double ConfigReader::number(const std::string& key, NumberRange range, double absent) const {
  const json* found = find(key);
  return found == nullptr ? absent : checked_number(key, *found, range);
}

std::vector<double> ConfigReader::numbers(const std::string& key, std::size_t count,
                                          NumberRange range, std::vector<double> absent) const {
  const json* found = find(key);
  if (found == nullptr) return absent;
  if (!found->is_array() || found->size() != count)
    contradicts(key, fmt::format("expected a list of {} numbers", count));
  std::vector<double> result;
  for (const json& item : *found) result.push_back(checked_number(key, item, range));
  return result;
}

bool ConfigReader::boolean(const std::string& key, bool absent) const {
  const json* found = find(key);
  if (found == nullptr) return absent;
  if (found->is_null()) return false;
  if (!found->is_boolean()) contradicts(key, "expected true or false");
  return found->get<bool>();
}

std::string ConfigReader::text(const std::string& key) const {
  return checked_text(key, required(key));
}

std::string ConfigReader::text(const std::string& key, const std::string& absent) const {
  const json* found = find(key);
  return found == nullptr ? absent : checked_text(key, *found);
}

std::vector<std::pair<int, int>> ConfigReader::pairs(const std::string& key, IntegerRange range,
                                                     std::size_t most) const {
  const json& list = required(key);
  if (!list.is_array() || list.empty() || list.size() > most)
    contradicts(key, fmt::format("expected a list of 1 to {} pairs", most));
  std::vector<std::pair<int, int>> result;
  for (const json& item : list) {
    if (!item.is_array() || item.size() != 2) contradicts(key, "expected pairs of whole numbers");
    result.emplace_back(checked_integer(key, item[0], range), checked_integer(key, item[1], range));
  }
  return result;
}

void ConfigReader::contradicts(const std::string& key, const std::string& what) const {
  throw Error(ErrorCode::bad_checkpoint, statement(key) + "; " + what);
}

void ConfigReader::unsupported(const std::string& key, const std::string& what) const {
  throw Error(ErrorCode::unsupported, statement(key) + "; " + what);
}

const json* ConfigReader::find(const std::string& key) const {
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

const json& ConfigReader::required(const std::string& key) const {
  const json* found = find(key);
  if (found == nullptr) contradicts(key, "it is required");
  return *found;
}

int ConfigReader::checked_integer(const std::string& key, const json& value,
                                  IntegerRange range) const {
  // Unsigned numbers beyond int64 would wrap to negative ones.
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) &&
                    value.get<std::int64_t>() >= range.least &&
                    value.get<std::int64_t>() <= range.most;
  if (!fits)
    contradicts(key, fmt::format("expected a whole number from {} to {}", range.least, range.most));
  return value.get<int>();
}

double ConfigReader::checked_number(const std::string& key, const json& value,
                                    NumberRange range) const {
  const bool fits =
      value.is_number() && value.get<double>() >= range.least && value.get<double>() <= range.most;
  if (!fits)
    contradicts(key, fmt::format("expected a number from {} to {}", range.least, range.most));
  return value.get<double>();
}

std::string ConfigReader::checked_text(const std::string& key, const json& value) const {
  if (!value.is_string()) contradicts(key, "expected a string");
  return value.get<std::string>();
}

std::string ConfigReader::statement(const std::string& key) const {
  constexpr std::size_t kLongestQuote = 80;
  const json* found = find(key);
  if (found == nullptr) return fmt::format("{}: {}{} is absent", file_, prefix_, key);
  const std::string quoted = found->dump();
  return fmt::format(
      "{}: {}{} is {}", file_, prefix_, key,
      quoted.size() <= kLongestQuote ? quoted : fmt::format("a long {}", found->type_name()));
}

}  // namespace vl2
