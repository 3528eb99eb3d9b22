// SPDX-License-Identifier: MIT
#include "server/json_grammar.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

// Whether the text is a word of the grammar.
bool accepts(ByteAutomaton& automaton, std::string_view text) {
  ByteAutomaton::State state = automaton.start();
  for (const char c : text) {
    state = automaton.next(state, static_cast<unsigned char>(c));
    if (state == ByteAutomaton::kDead) return false;
  }
  return automaton.accepts(state);
}

class Schema {
 public:
  explicit Schema(const std::string& text)
      : json_(RequestJson::parse(text)),
        grammar_(json_schema_grammar(json_, "schema")),
        automaton_(grammar_.grammar, grammar_.start) {}
  bool accepts(std::string_view text) { return vl2::accepts(automaton_, text); }

 private:
  RequestJson json_;
  JsonGrammar grammar_;
  ByteAutomaton automaton_;
};

void expect(const std::string& schema, std::vector<std::string> good,
            std::vector<std::string> bad) {
  Schema compiled(schema);
  for (const std::string& text : good) EXPECT_TRUE(compiled.accepts(text)) << schema << " " << text;
  for (const std::string& text : bad) EXPECT_FALSE(compiled.accepts(text)) << schema << " " << text;
}

TEST(JsonObjectGrammar, AcceptsObjectsAlone) {
  const JsonGrammar json = json_object_grammar();
  ByteAutomaton automaton(json.grammar, json.start);
  for (const char* good : {"{}", R"({"a": [1, -2.5e3, "x\n\"é", true, null, {}]})",
                           "{\n  \"a\": 1,\n  \"b\": {\"c\":[]}\n}", R"({"a":"\u001f"})",
                           "{\"a\":\"\xF0\x9F\x98\x80\"}"})
    EXPECT_TRUE(accepts(automaton, good)) << good;
  for (const char* bad :
       {"", "[]", "{", "{}}", "{} ", "{'a':1}", "{\"a\":01}", "{\"a\":1,}", "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}", "{\"a\":\"\\ud800\"}", "{\"a\":+1}", "{\"a\":\"\xff\"}",
        "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":1e999}"})
    EXPECT_FALSE(accepts(automaton, bad)) << bad;
}

TEST(JsonSchemaGrammar, KnowsTheTypes) {
  expect(R"({"type":"integer"})", {"0", "-1", "120"}, {"", "1.5", "-0", "01", "1e2", "\"1\""});
  expect(R"({"type":"number"})", {"0", "-0.5", "1e5", "1.25E-3"}, {".5", "1.", "--1", "1e"});
  expect(R"({"type":"boolean"})", {"true", "false"}, {"True", "1", "null"});
  expect(R"({"type":"null"})", {"null"}, {"nul", "nulll"});
  expect(R"({"type":["integer","null"]})", {"3", "null"}, {"\"3\"", "true"});
  expect(R"({})", {"1", "[{}]", "\"a\""}, {"", "a"});
  expect("true", {"1"}, {""});
}

TEST(JsonSchemaGrammar, StringsHaveLengths) {
  expect(R"({"type":"string","minLength":2,"maxLength":3})", {R"("ab")", R"("a\nc")", "\"éé\""},
         {R"("a")", R"("abcd")", R"("")"});
  expect(R"({"type":"string","maxLength":0})", {R"("")"}, {R"("a")"});
}

TEST(JsonSchemaGrammar, StringsHavePatterns) {
  expect(R"({"type":"string","pattern":"^[A-Z]{2}-\\d+$"})", {R"("AB-1")", R"("ZZ-0099")"},
         {R"("A-1")", R"("AB-")", R"("xAB-1")", R"("AB-1x")"});
  expect(R"({"pattern":"a|^b"})", {R"("xay")", R"("bcd")"}, {R"("xb")", R"("")"});
  expect(R"({"pattern":"^(?:ab?)*$"})", {R"("")", R"("aab")"}, {R"("b")", R"("abb")"});
  expect(R"({"pattern":"^.\"\\\\$"})", {R"("x\"\\")"}, {R"("x\"")"});
  expect(R"({"pattern":"^[^a-c]$"})", {R"("d")", "\"é\"", R"("\n")"}, {R"("b")", R"("dd")"});
  expect(R"({"pattern":"^\\w\\W\\S$"})", {R"("a-b")"}, {R"("aab")", R"("a- ")"});
}

TEST(JsonSchemaGrammar, IntegersHaveBounds) {
  expect(R"({"type":"integer","minimum":0,"maximum":999})", {"0", "7", "999", "100"},
         {"1000", "-1", "007"});
  expect(R"({"type":"integer","minimum":-12,"maximum":105})", {"-12", "-9", "0", "105", "99"},
         {"-13", "106", "-100"});
  expect(R"({"type":"integer","exclusiveMinimum":5})", {"6", "10", "999999"}, {"5", "-6", "0"});
  expect(R"({"type":"integer","maximum":-3})", {"-3", "-100"}, {"-2", "0", "3"});
}

TEST(JsonSchemaGrammar, EveryNumberOfARangeAndNoOther) {
  Schema schema(R"({"type":"integer","minimum":-107,"maximum":1203})");
  for (int i = -2000; i <= 2000; ++i)
    EXPECT_EQ(schema.accepts(std::to_string(i)), i >= -107 && i <= 1203) << i;
}

TEST(JsonSchemaGrammar, EnumAndConst) {
  expect(R"({"enum":["red","a\"b",3,null,[1]]})", {R"("red")", R"("a\"b")", "3", "null", "[1]"},
         {R"("re")", "4", "[]"});
  expect(R"({"const":"x"})", {R"("x")"}, {R"("y")"});
  expect(R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"});
}

TEST(JsonSchemaGrammar, ObjectsHaveTheirMembersInOrder) {
  const char* schema = R"({"type":"object","properties":{"a":{"type":"integer"},
    "b":{"type":"string"},"c":{"type":"boolean"}},"required":["a","c"],
    "additionalProperties":false})";
  expect(schema, {R"({"a":1,"c":true})", R"({"a": 1, "b": "x", "c": false})"},
         {"{}", R"({"a":1})", R"({"c":true,"a":1})", R"({"a":1,"c":true,"d":1})",
          R"({"a":1,"c":true,})", R"({"a":"1","c":true})", R"({"a":1,"a":1,"c":true})"});
}

TEST(JsonSchemaGrammar, AllMembersMayBeOptional) {
  expect(R"({"properties":{"a":{"type":"integer"},"b":{"type":"integer"}}})",
         {"{}", R"({"a":1})", R"({"b":1})", R"({"a":1,"b":2})"},
         {R"({,"b":1})", R"({"a":1 "b":2})", R"({"x":1})"});
}

TEST(JsonSchemaGrammar, FurtherMembersHaveOtherNames) {
  const char* schema = R"({"properties":{"ab":{"type":"integer"}},
    "additionalProperties":{"type":"boolean"}})";
  expect(schema,
         {"{}", R"({"ab":1})", R"({"ab":1,"abc":true})", R"({"a":true})", R"({"":true,"é":false})",
          R"({"b":true})"},
         {R"({"ab":true})", R"({"abc":1})", R"({"x":true,"ab":true})"});
  expect(R"({"type":"object"})", {"{}", R"({"x":[1]})"}, {"[]"});
}

TEST(JsonSchemaGrammar, ArraysHaveItemsAndCounts) {
  expect(R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
         {"[1]", "[1, 2,3]", "[\n  1,\n  2\n]"}, {"[]", "[1,2,3,4]", "[1,]", "[\"1\"]"});
  expect(R"({"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false})", {R"([1, "a"])"},
         {"[1]", R"([1,"a",2])"});
}

TEST(JsonSchemaGrammar, AlternativesAndReferences) {
  expect(R"({"anyOf":[{"type":"integer"},{"type":"null"}]})", {"1", "null"}, {"true"});
  const char* tree = R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object",
    "properties":{"v":{"type":"integer"},"n":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},
    "required":["v","n"],"additionalProperties":false}}})";
  expect(tree, {R"({"v":1,"n":null})", R"({"v":1,"n":{"v":2,"n":{"v":3,"n":null}}})"},
         {R"({"v":1})", R"({"v":1,"n":{}})"});
  expect(R"({"properties":{"c":{"type":"array","items":{"$ref":"#"}}}})",
         {"{}", R"({"c":[{},{"c":[]}]})"}, {R"({"c":[1]})"});
}

TEST(JsonSchemaGrammar, RefusesWhatItCannotKeepTo) {
  for (const char* schema : {R"({"type":"number","minimum":1})",
                             R"({"type":"integer","multipleOf":2})",
                             R"({"type":"array","uniqueItems":true})",
                             R"({"not":{}})",
                             R"({"$ref":"#/none"})",
                             R"({"$ref":"http://x/y"})",
                             R"({"type":"thing"})",
                             R"({"enum":[]})",
                             "false",
                             "[]",
                             "3",
                             R"({"allOf":[{},{}]})",
                             "{\"type\":\"string\",\"pattern\":\"(?=a)\"}",
                             R"({"type":"string","pattern":"a","minLength":1})",
                             R"({"type":"string","pattern":"[a"})",
                             R"({"type":"integer","minimum":5,"maximum":4})",
                             R"({"minItems":3,"maxItems":1})",
                             R"({"required":["a"],"additionalProperties":false})",
                             R"({"type":"string","maxLength":1e9})",
                             R"({"properties":[]})",
                             R"({"type":[]})"}) {
    const RequestJson json = RequestJson::parse(schema);
    const auto details = refusal_of([&] { json_schema_grammar(json, "where"); });
    EXPECT_EQ(details.status, 400) << schema;
    EXPECT_EQ(details.param, "where") << schema;
    EXPECT_EQ(details.code, "invalid_json_schema") << schema;
  }
}

TEST(JsonSchemaGrammar, IgnoresAnnotations) {
  expect(R"({"title":"T","description":"d","type":"integer","default":3,"format":"int32",
             "$schema":"x","examples":[1]})",
         {"1"}, {"\"1\""});
}

}  // namespace
}  // namespace vl2
