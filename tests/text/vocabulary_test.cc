// SPDX-License-Identifier: MIT
#include "text/vocabulary.h"

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

#include "text/tiny_tokenizer.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Vocabulary vocabulary_of(const nlohmann::json& json) {
  return Vocabulary(parse_tokenizer_file(json.dump(), "t.json"));
}

TEST(Vocabulary, KnowsBytesAndIds) {
  const Vocabulary vocabulary = vocabulary_of(testing::tiny_tokenizer_json());
  EXPECT_EQ(vocabulary.size(), 261);
  EXPECT_EQ(vocabulary.bytes(testing::kSpaceA), " a");
  EXPECT_EQ(vocabulary.bytes(testing::kEos), "</s>");
  EXPECT_EQ(vocabulary.id_of_bytes("abc"), testing::kAbc);
  EXPECT_EQ(vocabulary.id_of_added_token("<s>"), testing::kBos);
  EXPECT_FALSE(vocabulary.id_of_added_token("abc"));
  EXPECT_TRUE(vocabulary.is_special(testing::kBos));
  EXPECT_FALSE(vocabulary.is_special(testing::kAb));
}

TEST(Vocabulary, IdsWithoutATokenAreEmpty) {
  nlohmann::json json = testing::tiny_tokenizer_json();
  json["added_tokens"].push_back(testing::added_token(300, "far"));
  const Vocabulary vocabulary = vocabulary_of(json);
  EXPECT_EQ(vocabulary.size(), 301);
  for (const std::int32_t id : {-1, 299, 301, INT32_MIN, INT32_MAX}) {
    EXPECT_EQ(vocabulary.bytes(id), "");
    EXPECT_FALSE(vocabulary.is_special(id));
  }
}

TEST(Vocabulary, AnAddedTokenMayBeTheTokenOfAByte) {
  nlohmann::json json = testing::tiny_tokenizer_json();
  json["added_tokens"].push_back(testing::added_token('a', "a"));
  EXPECT_EQ(vocabulary_of(json).byte_ids("t.json")['a'], 'a');
}

TEST(Vocabulary, EveryByteNeedsAToken) {
  nlohmann::json json = testing::tiny_tokenizer_json();
  json["model"]["vocab"].erase("z");
  const Vocabulary vocabulary = vocabulary_of(json);
  EXPECT_THAT([&] { vocabulary.byte_ids("t.json"); },
              ThrowsMessage<Error>(HasSubstr("t.json: field model.vocab has no token for the byte "
                                             "0x7A (\"z\")")));
}

}  // namespace
}  // namespace vl2
