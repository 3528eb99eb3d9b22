// SPDX-License-Identifier: MIT
// DeepSeek's real V3 tokenizer, which the smallest and the largest released model use. Its file is
// not part of this repository: tools/fetch_tokenizer_v3.sh brings it.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "text/goldens.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"

namespace vl2 {
namespace {

using ::nlohmann::json;
using testing::ids_of;

std::filesystem::path tokenizer_path() {
  const char* path = std::getenv("VL2_TOKENIZER_V3");
  return path != nullptr ? std::filesystem::path(path)
                         : std::filesystem::path(VL2_BUILD_DIR) / "test-data" / "tokenizer_v3.json";
}

class TokenizerV3 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(tokenizer_path())) {
      GTEST_SKIP() << "no " << tokenizer_path() << "; fetch it with tools/fetch_tokenizer_v3.sh "
                   << (tokenizer_path().parent_path()) << ", or name it in VL2_TOKENIZER_V3";
    }
  }

  static Tokenizer load(bool add_missing_tokens) {
    const std::string text = read_text_file(tokenizer_path());
    const json config = {{"bos_token", "<｜begin▁of▁sentence｜>"},
                         {"eos_token", "<｜end▁of▁sentence｜>"}};
    return Tokenizer::parse({text, config.dump(), ""}, {add_missing_tokens});
  }

  const json golden_ = testing::read_json(testing::goldens() / "tokenizer_v3.json");
};

TEST_F(TokenizerV3, EncodesAndDecodes) {
  const Tokenizer tokenizer = load(false);
  ASSERT_EQ(golden_.at("cases").size(), 452u);
  for (const json& test : golden_.at("cases")) {
    const std::string text = test.at("text");
    const auto ids = ids_of(test.at("ids"));
    EXPECT_EQ(tokenizer.encode(text), ids) << test.at("group") << ": " << test.at("text");
    EXPECT_EQ(tokenizer.decode(ids), test.at("decoded"));
    EXPECT_EQ(tokenizer.decode(ids, true), test.at("decoded_skip_special"));
  }
}

TEST_F(TokenizerV3, EncodesWithTheAddedTokens) {
  const Tokenizer tokenizer = load(true);
  const json& added = golden_.at("vl2_added_tokens");
  for (const auto& [text, id] : added.at("ids").items()) EXPECT_EQ(tokenizer.id_of(text), id);
  for (const json& test : added.at("cases")) {
    const std::string text = test.at("text");
    EXPECT_EQ(tokenizer.encode(text), ids_of(test.at("ids"))) << text;
    EXPECT_EQ(tokenizer.decode(ids_of(test.at("ids"))), test.at("decoded"));
  }
}

TEST_F(TokenizerV3, DecodesBrokenIdsWholeAndAsAStream) {
  const Tokenizer tokenizer = load(false);
  ASSERT_EQ(golden_.at("decode_only").size(), 60u);
  for (const json& test : golden_.at("decode_only")) {
    const auto ids = ids_of(test.at("ids"));
    EXPECT_EQ(tokenizer.decode(ids), test.at("decoded"));
    StreamDecoder decoder(tokenizer);
    std::string streamed;
    for (const std::int32_t id : ids) streamed += decoder.push(id);
    EXPECT_EQ(streamed + decoder.flush(), test.at("decoded"));
  }
}

}  // namespace
}  // namespace vl2
