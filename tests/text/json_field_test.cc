// SPDX-License-Identifier: MIT
#include "text/json_field.h"

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vl2 {
namespace {

using ::nlohmann::json;

std::string error_of(const std::function<void(const JsonField&)>& read, const json& document) {
  try {
    read(JsonField(document, "f.json"));
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

TEST(JsonField, ErrorsNameFileAndField) {
  const json document = {{"a", {{"b", {1, "x"}}}}, {"n", nullptr}};
  const auto b = [](const JsonField& root) { return root.at("a").at("b"); };
  EXPECT_EQ(error_of([&](const JsonField& root) { b(root).elements()[1].integer(0, 9); }, document),
            "f.json: field a.b[1] must be a whole number from 0 to 9, not \"x\"");
  EXPECT_EQ(error_of([&](const JsonField& root) { b(root).string(); }, document),
            "f.json: field a.b must be a string");
  EXPECT_EQ(error_of([](const JsonField& root) { root.at("a").at("c"); }, document),
            "f.json: field a.c is missing");
  EXPECT_EQ(error_of([](const JsonField& root) { root.at("c"); }, document),
            "f.json: field c is missing");
  EXPECT_EQ(error_of([](const JsonField& root) { root.at("n").at("x"); }, document),
            "f.json: field n must be an object");
  EXPECT_EQ(error_of([](const JsonField& root) { root.at("x"); }, json::array()),
            "f.json must be an object");
}

TEST(JsonField, IntegersKeepToTheirLimits) {
  for (const char* text : {"-1", "10", "1.0", "1e0", "18446744073709551615", "true", "null"}) {
    const json document = json::parse(text);
    EXPECT_THROW(JsonField(document, "f").integer(0, 9), Error) << text;
  }
  const json nine = 9;
  EXPECT_EQ(JsonField(nine, "f").integer(0, 9), 9);
}

TEST(JsonField, OptionalMembersHaveDefaults) {
  const json document = {{"yes", true}, {"text", "t"}, {"none", nullptr}};
  const JsonField root(document, "f");
  EXPECT_TRUE(root.boolean_or("yes", false));
  EXPECT_TRUE(root.boolean_or("none", true));
  EXPECT_EQ(root.string_or("text", "u"), "t");
  EXPECT_EQ(root.string_or("other", "u"), "u");
  EXPECT_FALSE(root.find("none"));
}

TEST(JsonField, DamagedTextNamesTheFile) {
  try {
    parse_json("{\"a\": [1, 2", "dir/f.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_checkpoint);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("dir/f.json: not valid JSON near byte"));
  }
  EXPECT_THROW(parse_json("[1e999]", "f"), Error);
}

}  // namespace
}  // namespace vl2
