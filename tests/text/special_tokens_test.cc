// SPDX-License-Identifier: MIT
#include "text/special_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

#include "text/goldens.h"
#include "text/tiny_tokenizer.h"

namespace vl2 {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::tiny_config_json;
using testing::tiny_tokenizer;
using testing::tiny_tokenizer_json;

TEST(SpecialTokens, HaveTheOriginalsIds) {
  const nlohmann::json golden =
      testing::read_json(testing::goldens() / "conversations" / "special_ids.json");
  for (const std::string& checkpoint : testing::checkpoints()) {
    const Tokenizer tokenizer = testing::checkpoint_tokenizer(checkpoint);
    const nlohmann::json& expected = golden.at(checkpoint);
    EXPECT_EQ(tokenizer.vocabulary_size(), expected.at("len_with_added")) << checkpoint;
    EXPECT_EQ(tokenizer.bos_id(), expected.at("bos"));
    EXPECT_EQ(tokenizer.eos_id(), expected.at("eos"));
    EXPECT_EQ(tokenizer.pad_id(), expected.at("pad"));
    EXPECT_EQ(tokenizer.image_id(), expected.at("image"));
    EXPECT_EQ(tokenizer.ref_id(), expected.at("<|ref|>"));
    EXPECT_EQ(tokenizer.ref_end_id(), expected.at("<|/ref|>"));
    EXPECT_EQ(tokenizer.det_id(), expected.at("<|det|>"));
    EXPECT_EQ(tokenizer.det_end_id(), expected.at("<|/det|>"));
    EXPECT_EQ(tokenizer.grounding_id(), expected.at("<|grounding|>"));
    EXPECT_EQ(tokenizer.user_id(), expected.at("<|User|>"));
    EXPECT_EQ(tokenizer.assistant_id(), expected.at("<|Assistant|>"));
  }
}

TEST(SpecialTokens, MissingOnesFollowTheHighestId) {
  nlohmann::json json = tiny_tokenizer_json();
  json["added_tokens"].push_back(testing::added_token(400, "<|det|>", false));
  const Tokenizer tokenizer = tiny_tokenizer(json);
  EXPECT_EQ(tokenizer.pad_id(), 401);
  EXPECT_EQ(tokenizer.image_id(), 402);
  EXPECT_EQ(tokenizer.det_id(), 400);  // an id in the file wins
  EXPECT_EQ(tokenizer.det_end_id(), 405);
  EXPECT_TRUE(tokenizer.is_special(400));
}

TEST(SpecialTokens, ADeclaredPaddingTokenIsUsed) {
  nlohmann::json config = tiny_config_json();
  config["pad_token"] = "</s>";
  const Tokenizer tokenizer = tiny_tokenizer(tiny_tokenizer_json(), config);
  EXPECT_EQ(tokenizer.pad_id(), testing::kEos);
  EXPECT_EQ(tokenizer.image_id(), testing::kEos + 1);
}

TEST(SpecialTokens, NothingIsAddedWhereItIsNotWanted) {
  const Tokenizer tokenizer = Tokenizer::parse(
      {tiny_tokenizer_json().dump(), tiny_config_json().dump(), ""}, {.add_missing_tokens = false});
  EXPECT_EQ(tokenizer.vocabulary_size(), 261);
  EXPECT_EQ(tokenizer.image_id(), -1);
  EXPECT_EQ(tokenizer.encode("<image>").size(), 7u);
}

TEST(SpecialTokens, ABeginTokenThatDoesNotExistIsAnError) {
  nlohmann::json config = tiny_config_json();
  config["bos_token"] = "<begin>";
  EXPECT_THAT([&] { tiny_tokenizer(tiny_tokenizer_json(), config); },
              ThrowsMessage<Error>(HasSubstr("tiny/tokenizer_config.json: field bos_token is "
                                             "\"<begin>\"")));
}

}  // namespace
}  // namespace vl2
