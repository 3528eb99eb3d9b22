// SPDX-License-Identifier: MIT
#include "server/request_field.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refusal.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;

TEST(ParseRequestJson, RefusesWhatIsNoObject) {
  for (const char* bad : {"", "[]", "1", "\"a\"", "{", "{\"a\":}", "{\"a\":1}x", "{\"a\":\"\xff\"}",
                          "{\"a\":1e999}", "nul"}) {
    const auto details = refusal_of([&] { parse_request_json(bad); });
    EXPECT_EQ(details.status, 400) << bad;
    EXPECT_EQ(details.code, "invalid_json") << bad;
  }
}

TEST(ParseRequestJson, RefusesDeepNestingBeforeItHurts) {
  const std::string deep = "{\"a\":" + std::string(5'000'000, '[');
  EXPECT_EQ(refusal_of([&] { parse_request_json(deep); }).code, "invalid_json");
}

TEST(ParseRequestJson, RefusesTooManyValues) {
  std::string many = "{\"a\":[0";
  for (int i = 0; i < 300'000; ++i) many += ",0";
  EXPECT_EQ(refusal_of([&] { parse_request_json(many + "]}"); }).code, "invalid_json");
}

TEST(ParseRequestJson, RefusesTooManyMembersOfOneObject) {
  std::string many = "{\"x\":0";
  for (int i = 0; i < 3'000; ++i) many += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(refusal_of([&] { parse_request_json(many + "}"); }).code, "invalid_json");
}

TEST(ParseRequestJson, CountsMembersOfEachObjectAlone) {
  std::string objects = "{\"a\":[{}";
  for (int i = 0; i < 3'000; ++i) objects += ",{\"x\":0}";
  EXPECT_NO_THROW(parse_request_json(objects + "]}"));
}

TEST(RequestField, NamesTheWholePath) {
  RequestJson json = parse_request_json(R"({"a": [{"b": {"c": "text"}}]})");
  const RequestField c = RequestField(json).at("a").elements()[0].at("b").at("c");
  EXPECT_EQ(c.path(), "a[0].b.c");
  const auto details = refusal_of([&] { c.integer(0, 1); });
  EXPECT_EQ(details.param, "a[0].b.c");
  EXPECT_EQ(details.code, "invalid_type");
}

TEST(RequestField, MissingMembersAreNamed) {
  RequestJson json = parse_request_json(R"({"a": {"b": null}})");
  const auto details = refusal_of([&] { RequestField(json).at("a").at("b"); });
  EXPECT_EQ(details.param, "a.b");
  EXPECT_EQ(details.code, "missing_required_parameter");
}

TEST(RequestField, IntegersMayBeWrittenWithAPoint) {
  RequestJson json = parse_request_json(R"({"a": 16.0, "b": 16.5, "c": 1e300, "d": 1e12})");
  const RequestField root(json);
  EXPECT_EQ(root.at("a").integer(0, 100), 16);
  EXPECT_EQ(refusal_of([&] { root.at("b").integer(0, 100); }).code, "invalid_type");
  EXPECT_EQ(refusal_of([&] { root.at("c").integer(0, 100); }).code, "invalid_type");
  EXPECT_EQ(refusal_of([&] { root.at("d").integer(0, 100); }).code, "integer_above_max_value");
}

TEST(RequestField, HugeIntegersAreAboveEveryLimit) {
  RequestJson json = parse_request_json(R"({"a": 18446744073709551615})");
  EXPECT_EQ(refusal_of([&] { RequestField(json).at("a").integer(0, 100); }).code,
            "integer_above_max_value");
}

TEST(ApiError, IsTheBodyThatSdksExpect) {
  const ApiError error("No.", {.status = 400, .param = "messages[0]", .code = "invalid_value"});
  EXPECT_EQ(error.json().dump(), R"({"error":{"message":"No.","type":"invalid_request_error",)"
                                 R"("param":"messages[0]","code":"invalid_value"}})");
}

TEST(ApiError, TellsTooLongPromptsFromBrokenPictures) {
  EXPECT_EQ(api_error_of(Error(ErrorCode::too_long, "x")).details().code,
            "context_length_exceeded");
  EXPECT_EQ(api_error_of(Error(ErrorCode::bad_image, "x"), "a").details().param, "a");
  EXPECT_EQ(api_error_of(Error(ErrorCode::bad_checkpoint, "x")).status(), 500);
  EXPECT_EQ(api_error_of(Error(ErrorCode::out_of_memory, "x")).status(), 503);
}

}  // namespace
}  // namespace vl2
