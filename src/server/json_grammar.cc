// SPDX-License-Identifier: MIT
#include "server/json_grammar.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "server/api_error.h"
#include "server/json_pieces.h"
#include "server/regex_grammar.h"

namespace vl2 {
namespace {

using RuleId = ByteGrammar::RuleId;
using Sequence = ByteGrammar::Sequence;

constexpr std::int64_t kMostInteger = 999'999'999'999'999'999;
constexpr std::int64_t kMostCount = 10'000;
constexpr std::size_t kMostSymbols = 500'000;

// Keywords that would forbid answers which the grammar lets through.
constexpr const char* kNotUnderstood[] = {"multipleOf",
                                          "uniqueItems",
                                          "contains",
                                          "minContains",
                                          "maxContains",
                                          "patternProperties",
                                          "propertyNames",
                                          "minProperties",
                                          "maxProperties",
                                          "dependentRequired",
                                          "dependentSchemas",
                                          "if",
                                          "not",
                                          "dependencies",
                                          "unevaluatedItems",
                                          "unevaluatedProperties",
                                          "additionalItems",
                                          "$dynamicRef",
                                          "$recursiveRef"};

std::string text_of(const RequestJson& json) { return json.dump(-1, ' ', false); }

std::string type_of(const RequestJson& value) {
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  return value.type_name();
}

bool has_type(const RequestJson& value, const std::string& type) {
  const std::string own = type_of(value);
  return own == type || (own == "integer" && type == "number");
}

class SchemaCompiler {
 public:
  SchemaCompiler(ByteGrammar& grammar, const RequestJson& root, std::string param)
      : pieces_(grammar), root_(root), param_(std::move(param)) {}

  RuleId compile_root() {
    const RuleId rule = grammar().new_rule();
    rules_.emplace("", rule);
    grammar().add(rule, {compile(root_, "")});
    return rule;
  }

 private:
  ByteGrammar& grammar() { return pieces_.grammar; }

  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    throw bad_request(fmt::format("The JSON schema cannot be used at '{}': {}.",
                                  where.empty() ? "/" : where, what),
                      param_, "invalid_json_schema");
  }

  // `where` is a JSON pointer.
  RuleId compile(const RequestJson& schema, const std::string& where) {
    if (grammar().size() > kMostSymbols) fail(where, "the schema is too large");
    if (schema.is_boolean() && schema.get<bool>()) return pieces_.value;
    if (!schema.is_object()) fail(where, "a schema must be an object");
    check_keywords(schema, where);
    if (schema.contains("$ref")) return reference(schema, where);
    if (schema.contains("const"))
      return one_of(RequestJson::array({schema["const"]}), schema, where);
    if (schema.contains("enum")) return one_of(schema["enum"], schema, where);
    for (const char* name : {"anyOf", "oneOf", "allOf"})
      if (schema.contains(name)) return alternatives(schema, name, where);
    return of_type(schema, where);
  }

  void check_keywords(const RequestJson& schema, const std::string& where) const {
    for (const char* name : kNotUnderstood) {
      const bool harmless = !schema.contains(name) || schema[name] == false;
      if (!harmless) fail(where, fmt::format("'{}' is not understood", name));
    }
  }

  // $ref, anyOf and the like stand alone here.
  void require_alone(const RequestJson& schema, const char* name, const std::string& where) const {
    for (const char* other : {"$ref", "anyOf", "oneOf", "allOf", "type", "properties", "items",
                              "required", "pattern", "additionalProperties"})
      if (std::string_view(other) != name && schema.contains(other))
        fail(where, fmt::format("'{}' beside '{}' is not understood", other, name));
  }

  RuleId reference(const RequestJson& schema, const std::string& where) {
    require_alone(schema, "$ref", where);
    if (!schema["$ref"].is_string()) fail(where, "$ref must be a string");
    const auto target = schema["$ref"].get<std::string>();
    if (!target.starts_with('#')) fail(where, "$ref must begin with #");
    const std::string pointer = target.substr(1);
    const auto known = rules_.find(pointer);
    if (known != rules_.end()) return known->second;
    const RequestJson* found = nullptr;
    try {
      found = &root_.at(RequestJson::json_pointer(pointer));
    } catch (const RequestJson::exception&) {
      fail(where, fmt::format("$ref '{}' leads nowhere", target.substr(0, 100)));
    }
    // Before it is compiled, so that it can contain itself.
    const RuleId rule = grammar().new_rule();
    rules_.emplace(pointer, rule);
    grammar().add(rule, {compile(*found, pointer)});
    return rule;
  }

  RuleId one_of(const RequestJson& values, const RequestJson& schema, const std::string& where) {
    if (!values.is_array()) fail(where, "enum must be an array");
    std::vector<Sequence> all;
    for (const RequestJson& value : values)
      if (!schema.contains("type") || fits_type(value, schema["type"]))
        all.push_back(text_sequence(text_of(value)));
    if (all.empty()) fail(where, "no value is possible");
    return grammar().rule(std::move(all));
  }

  static bool fits_type(const RequestJson& value, const RequestJson& type) {
    if (!type.is_array()) return type.is_string() && has_type(value, type.get<std::string>());
    return std::ranges::any_of(type, [&](const auto& one) { return fits_type(value, one); });
  }

  RuleId alternatives(const RequestJson& schema, const char* name, const std::string& where) {
    require_alone(schema, name, where);
    const RequestJson& list = schema[name];
    if (!list.is_array() || list.empty()) fail(where, fmt::format("{} must be a list", name));
    if (std::string_view(name) == "allOf" && list.size() > 1)
      fail(where, "allOf with several schemas is not understood");
    std::vector<Sequence> all;
    for (std::size_t i = 0; i < list.size(); ++i)
      all.push_back({compile(list[i], fmt::format("{}/{}/{}", where, name, i))});
    return grammar().rule(std::move(all));
  }

  RuleId of_type(const RequestJson& schema, const std::string& where) {
    if (!schema.contains("type")) return of_type(implied_type(schema), schema, where);
    const RequestJson& type = schema["type"];
    if (type.is_string()) return of_type(type.get<std::string>(), schema, where);
    if (!type.is_array() || type.empty()) fail(where, "type must be a string or a list");
    std::vector<Sequence> all;
    for (const RequestJson& one : type) {
      if (!one.is_string()) fail(where, "type must be a string or a list of strings");
      all.push_back({of_type(one.get<std::string>(), schema, where)});
    }
    return grammar().rule(std::move(all));
  }

  static std::string implied_type(const RequestJson& schema) {
    const auto has = [&](const char* name) { return schema.contains(name); };
    if (has("properties") || has("required") || has("additionalProperties")) return "object";
    if (has("items") || has("prefixItems") || has("minItems") || has("maxItems")) return "array";
    if (has("pattern") || has("minLength") || has("maxLength")) return "string";
    return "any";
  }

  RuleId of_type(const std::string& type, const RequestJson& schema, const std::string& where) {
    if (type == "object") return object(schema, where);
    if (type == "array") return array(schema, where);
    if (type == "string") return string(schema, where);
    if (type == "integer") return integer(schema, where);
    if (type == "number") return number(schema, where);
    if (type == "boolean") return grammar().rule({text_sequence("true"), text_sequence("false")});
    if (type == "null") return grammar().rule({text_sequence("null")});
    if (type == "any") return pieces_.value;
    fail(where, fmt::format("there is no type '{}'", type.substr(0, 50)));
  }

  std::optional<std::int64_t> count(const RequestJson& schema, const char* name,
                                    const std::string& where) const {
    if (!schema.contains(name)) return {};
    const RequestJson& value = schema[name];
    if (!value.is_number_integer() || value < 0 || value > kMostCount)
      fail(where, fmt::format("{} must be from 0 to {}", name, kMostCount));
    return value.get<std::int64_t>();
  }

  struct Counts {
    std::size_t least;
    std::size_t most;
  };
  Counts counts(const RequestJson& schema, const char* least, const char* most,
                const std::string& where) const {
    const auto low = count(schema, least, where).value_or(0);
    const auto high = count(schema, most, where);
    if (high && *high < low) fail(where, fmt::format("{} is below {}", most, least));
    return {static_cast<std::size_t>(low), high ? static_cast<std::size_t>(*high) : kUnlimited};
  }

  RuleId string(const RequestJson& schema, const std::string& where) {
    const bool has_length = schema.contains("minLength") || schema.contains("maxLength");
    if (schema.contains("pattern")) {
      if (has_length) fail(where, "pattern beside minLength or maxLength is not understood");
      if (!schema["pattern"].is_string()) fail(where, "pattern must be a string");
      try {
        return pattern_rule(pieces_, schema["pattern"].get_ref<const std::string&>());
      } catch (const Error& error) {
        fail(where, error.what());
      }
    }
    if (!has_length) return pieces_.string;
    const auto [least, most] = counts(schema, "minLength", "maxLength", where);
    return grammar().rule(
        {{one_byte('"'), pieces_.repeated(pieces_.character, least, most), one_byte('"')}});
  }

  std::optional<std::int64_t> bound(const RequestJson& schema, const char* name, int step,
                                    const std::string& where) const {
    if (!schema.contains(name)) return {};
    const RequestJson& value = schema[name];
    const bool fits = value.is_number_integer() && value >= -kMostInteger && value <= kMostInteger;
    if (!fits) fail(where, fmt::format("{} must be a whole number of at most 18 digits", name));
    return value.get<std::int64_t>() + step;
  }

  RuleId integer(const RequestJson& schema, const std::string& where) {
    std::optional<std::int64_t> low = bound(schema, "minimum", 0, where);
    if (const auto above = bound(schema, "exclusiveMinimum", 1, where))
      low = std::max(low.value_or(*above), *above);
    std::optional<std::int64_t> high = bound(schema, "maximum", 0, where);
    if (const auto below = bound(schema, "exclusiveMaximum", -1, where))
      high = std::min(high.value_or(*below), *below);
    if (!low && !high) return pieces_.integer;
    const std::int64_t lowest = std::max(low.value_or(-kMostInteger), -kMostInteger);
    const std::int64_t highest = std::min(high.value_or(kMostInteger), kMostInteger);
    if (lowest > highest) fail(where, "no number is possible");
    return pieces_.integer_between(lowest, highest);
  }

  RuleId number(const RequestJson& schema, const std::string& where) {
    for (const char* name : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
      if (schema.contains(name))
        fail(where, fmt::format("'{}' of numbers that are no integers is not understood", name));
    return pieces_.number;
  }

  RuleId array(const RequestJson& schema, const std::string& where) {
    const auto [least, most] = counts(schema, "minItems", "maxItems", where);
    const bool has_items = schema.contains("items");
    if (schema.contains("prefixItems")) return tuple(schema, least, most, where);
    if (has_items && schema["items"] == false) return pieces_.array_of(pieces_.value, 0, 0);
    const RuleId item = has_items ? compile(schema["items"], where + "/items") : pieces_.value;
    return pieces_.array_of(item, least, most);
  }

  // All of prefixItems, and nothing behind them.
  RuleId tuple(const RequestJson& schema, std::size_t least, std::size_t most,
               const std::string& where) {
    const RequestJson& items = schema["prefixItems"];
    if (!items.is_array() || items.empty()) fail(where, "prefixItems must be a list");
    if (least > items.size() || most < items.size())
      fail(where, "arrays of another length than prefixItems are not understood");
    Sequence sequence = {one_byte('['), pieces_.space};
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) sequence.insert(sequence.end(), {one_byte(','), pieces_.space});
      sequence.emplace_back(compile(items[i], fmt::format("{}/prefixItems/{}", where, i)));
    }
    sequence.insert(sequence.end(), {pieces_.space, one_byte(']')});
    return grammar().rule({std::move(sequence)});
  }

  struct Member {
    std::string name;
    RuleId value;
    bool required;
  };

  // Members behind those of `properties`, if there may be any.
  std::optional<RuleId> further_values(const RequestJson& schema, const std::string& where) {
    if (!schema.contains("additionalProperties")) {
      // Without properties anything goes; with some, answers keep to them.
      if (schema.contains("properties")) return {};
      return pieces_.value;
    }
    const RequestJson& further = schema["additionalProperties"];
    if (further == false) return {};
    return compile(further, where + "/additionalProperties");
  }

  std::vector<Member> members_of(const RequestJson& schema, const std::string& where) {
    std::vector<Member> members;
    if (schema.contains("properties")) {
      if (!schema["properties"].is_object()) fail(where, "properties must be an object");
      for (const auto& [name, value] : schema["properties"].items()) {
        // JSON pointers write ~ and / as ~0 and ~1.
        const std::string step = (RequestJson::json_pointer() / name).to_string();
        members.push_back(
            {name, compile(value, fmt::format("{}/properties{}", where, step)), false});
      }
    }
    if (!schema.contains("required")) return members;
    if (!schema["required"].is_array()) fail(where, "required must be a list");
    for (const RequestJson& name : schema["required"]) {
      if (!name.is_string()) fail(where, "required must be a list of strings");
      const auto text = name.get<std::string>();
      const auto member = std::ranges::find(members, text, &Member::name);
      if (member != members.end()) {
        member->required = true;
        continue;
      }
      const auto value = further_values(schema, where);
      if (schema.contains("additionalProperties") && !value)
        fail(where, fmt::format("'{}' is required and not allowed", text.substr(0, 100)));
      members.push_back({text, value.value_or(pieces_.value), true});
    }
    return members;
  }

  RuleId object(const RequestJson& schema, const std::string& where) {
    const std::vector<Member> members = members_of(schema, where);
    const auto further = further_values(schema, where);
    // What may come from each member on, before the first one written and after it.
    RuleId at_first = end_of_object(members, further, true);
    RuleId later = end_of_object(members, further, false);
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
      Sequence pair = text_sequence(text_of(RequestJson(member->name)));
      pair.insert(pair.end(), {one_byte(':'), pieces_.space, member->value, later});
      Sequence behind = {one_byte(','), pieces_.space};
      behind.insert(behind.end(), pair.begin(), pair.end());
      const RuleId first_from_here = grammar().rule({std::move(pair)});
      const RuleId later_from_here = grammar().rule({std::move(behind)});
      if (!member->required) {
        grammar().add(first_from_here, {at_first});
        grammar().add(later_from_here, {later});
      }
      at_first = first_from_here;
      later = later_from_here;
    }
    return grammar().rule({{one_byte('{'), pieces_.space, at_first}});
  }

  RuleId end_of_object(const std::vector<Member>& members, const std::optional<RuleId>& further,
                       bool is_first) {
    const RuleId rule = grammar().new_rule();
    Sequence end;
    if (!is_first) end.emplace_back(pieces_.space);
    end.emplace_back(one_byte('}'));
    grammar().add(rule, end);
    if (!further) return rule;
    std::vector<std::string_view> names;
    for (const Member& member : members) names.push_back(member.name);
    const RuleId pair = grammar().rule(
        {{pieces_.string_other_than(names), one_byte(':'), pieces_.space, *further}});
    const RuleId next = grammar().rule({{one_byte(','), pieces_.space, pair}});
    const RuleId more = pieces_.repeated(next, 0, kUnlimited);
    Sequence sequence;
    if (!is_first) sequence = {one_byte(','), pieces_.space};
    sequence.insert(sequence.end(), {pair, more, pieces_.space, one_byte('}')});
    grammar().add(rule, std::move(sequence));
    return rule;
  }

  JsonPieces pieces_;
  const RequestJson& root_;
  std::string param_;
  std::map<std::string, RuleId> rules_;  // by JSON pointer
};

}  // namespace

JsonGrammar json_object_grammar() {
  JsonGrammar json;
  json.start = JsonPieces(json.grammar).object;
  return json;
}

JsonGrammar json_schema_grammar(const RequestJson& schema, const std::string& param) {
  JsonGrammar json;
  json.start = SchemaCompiler(json.grammar, schema, param).compile_root();
  if (json.grammar.size() > kMostSymbols)
    throw bad_request("The JSON schema is too large.", param, "invalid_json_schema");
  return json;
}

}  // namespace vl2
