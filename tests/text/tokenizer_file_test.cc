// SPDX-License-Identifier: MIT
#include "text/tokenizer_file.h"

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

#include "text/tiny_tokenizer.h"

namespace vl2 {
namespace {

using ::nlohmann::json;
using testing::added_token;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::tiny_tokenizer_json;

struct Outcome {
  ErrorCode code = ErrorCode::cancelled;
  std::string message = "(no error)";
};

// What parsing says to the tiny tokenizer after a change.
Outcome parse_changed(const std::function<void(json&)>& change) {
  json document = tiny_tokenizer_json();
  change(document);
  try {
    parse_tokenizer_file(document.dump(), "t.json");
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

void expect_bad(const std::function<void(json&)>& change, const std::string& message) {
  const Outcome outcome = parse_changed(change);
  EXPECT_EQ(outcome.code, ErrorCode::bad_checkpoint) << outcome.message;
  EXPECT_THAT(outcome.message, StartsWith("t.json: " + message));
}

void expect_unsupported(const std::function<void(json&)>& change, const std::string& message) {
  const Outcome outcome = parse_changed(change);
  EXPECT_EQ(outcome.code, ErrorCode::unsupported) << outcome.message;
  EXPECT_THAT(outcome.message, StartsWith("t.json: " + message));
}

TEST(TokenizerFile, ReadsBothFormsOfMerges) {
  json document = tiny_tokenizer_json();
  const auto strings = parse_tokenizer_file(document.dump(), "t.json");
  document["model"]["merges"] = json::parse(R"([["a", "b"], ["ab", "c"], ["\u0120", "a"]])");
  const auto pairs = parse_tokenizer_file(document.dump(), "t.json");
  ASSERT_EQ(strings.merges.size(), 3u);
  ASSERT_EQ(pairs.merges.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(strings.merges[i].left, pairs.merges[i].left);
    EXPECT_EQ(strings.merges[i].right, pairs.merges[i].right);
    EXPECT_EQ(strings.merges[i].result, pairs.merges[i].result);
  }
  EXPECT_EQ(pairs.merges[1].result, testing::kAbc);
}

TEST(TokenizerFile, EveryTruncationIsAnError) {
  const std::string text = tiny_tokenizer_json().dump();
  for (std::size_t length = 0; length < text.size(); length += 7) {
    EXPECT_THROW(parse_tokenizer_file(text.substr(0, length), "t.json"), Error);
  }
}

TEST(TokenizerFile, OtherModelsAreNotSupported) {
  expect_unsupported([](json& t) { t["model"]["type"] = "Unigram"; },
                     "field model.type is \"Unigram\"");
  expect_unsupported([](json& t) { t["model"]["byte_fallback"] = true; }, "field model has byte");
  expect_unsupported([](json& t) { t["model"]["end_of_word_suffix"] = "</w>"; },
                     "field model.end_of_word_suffix");
  expect_unsupported([](json& t) { t["model"]["dropout"] = 0.1; }, "field model.dropout");
  expect_unsupported([](json& t) { t["decoder"]["type"] = "WordPiece"; }, "field decoder.type");
  expect_unsupported([](json& t) { t["normalizer"] = {{"type", "NFC"}}; },
                     "field normalizer has type \"NFC\"");
  expect_unsupported(
      [](json& t) {
        t["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "Lowercase"}}}}};
      },
      "field normalizer.normalizers[0]");
}

TEST(TokenizerFile, MissingFieldsAreNamed) {
  for (const char* key : {"model", "pre_tokenizer", "decoder"}) {
    expect_bad([&](json& t) { t.erase(key); }, std::string("field ") + key + " is missing");
  }
  for (const char* key : {"type", "vocab", "merges"}) {
    expect_bad([&](json& t) { t["model"].erase(key); },
               std::string("field model.") + key + " is missing");
  }
  EXPECT_EQ(parse_changed([](json& t) { t = 3; }).message, "t.json must be an object");
}

TEST(TokenizerFile, VocabularyIdsAreChecked) {
  const auto with_id = [](const json& id) {
    return [=](json& t) { t["model"]["vocab"]["extra"] = id; };
  };
  expect_bad(with_id(97), "field model.vocab gives \"a\" and \"extra\" the same id 97");
  for (const json& id : {json(-1), json(1 << 20), json(UINT64_MAX), json(1.5), json("1")}) {
    expect_bad(with_id(id), "field model.vocab gives \"extra\" the id " + id.dump());
  }
  expect_bad(with_id(json::array()), "field model.vocab gives \"extra\" the id array");
  expect_bad([](json& t) { t["model"]["vocab"][""] = 999; }, "field model.vocab has an entry");
  expect_bad([](json& t) { t["model"]["vocab"] = json::array(); }, "field model.vocab must be");
}

TEST(TokenizerFile, MergesMustJoinTokens) {
  const auto with_merge = [](const json& merge) {
    return [=](json& t) { t["model"]["merges"].push_back(merge); };
  };
  expect_bad(with_merge("a zz"), "field model.merges joins \"a\" and \"zz\" at index 3");
  expect_bad(with_merge("b a"), "field model.merges joins \"b\" and \"a\"");
  for (const json& merge : {json("ab"), json("a b c"), json(" b"), json("a "), json(7),
                            json(nullptr), json{"a", "b", "c"}, json{"a", 1}}) {
    expect_bad(with_merge(merge), "field model.merges has at index 3");
  }
}

TEST(TokenizerFile, AddedTokensMustFitTheVocabulary) {
  const auto with_token = [](const json& token) {
    return [=](json& t) { t["added_tokens"].push_back(token); };
  };
  expect_bad(with_token(added_token(97, "<x>")), "field added_tokens[2] gives \"<x>\" the id 97");
  expect_bad(with_token(added_token(999, "abc")), "field added_tokens[2] gives \"abc\" the id 999");
  expect_bad(with_token(added_token(999, "<s>")), "field added_tokens[2] repeats");
  expect_bad(with_token(added_token(testing::kBos, "<x>")), "field added_tokens[2] repeats");
  expect_bad(with_token(added_token(-1, "<x>")), "field added_tokens[2].id must be");
  expect_bad(with_token({{"id", 999}}), "field added_tokens[2].content is missing");
  EXPECT_EQ(parse_changed(with_token(added_token(testing::kAbc, "abc"))).message, "(no error)");
}

TEST(TokenizerFile, BadPatternsNameTheirField) {
  expect_bad(
      [](json& t) { t["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a"; },
      "field pre_tokenizer.pretokenizers[0].pattern.Regex: the pattern \"(a\" does not compile");
}

TEST(TokenizerFile, ConfigNamesTokensAsTextOrObject) {
  const TokenizerConfig config = parse_tokenizer_config(
      R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": null})", "c.json");
  EXPECT_EQ(config.bos, "<s>");
  EXPECT_EQ(config.eos, "</s>");
  EXPECT_FALSE(config.pad);
}

TEST(TokenizerFile, ConfigErrorsNameTheField) {
  const auto message_of = [](const std::string& text) -> std::string {
    try {
      parse_tokenizer_config(text, "c.json");
    } catch (const Error& error) {
      return error.what();
    }
    return "(no error)";
  };
  EXPECT_THAT(message_of(R"({"eos_token": "e"})"), HasSubstr("c.json: field bos_token is missing"));
  EXPECT_THAT(message_of(R"({"bos_token": "b", "eos_token": null})"),
              HasSubstr("c.json: field eos_token is null"));
  EXPECT_THAT(message_of(R"({"bos_token": 1, "eos_token": "e"})"),
              HasSubstr("c.json: field bos_token must be a string"));
  EXPECT_THAT(message_of(R"({"bos_token": {}, "eos_token": "e"})"),
              HasSubstr("c.json: field bos_token.content is missing"));
}

}  // namespace
}  // namespace vl2
