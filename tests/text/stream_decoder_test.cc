// SPDX-License-Identifier: MIT
#include "text/stream_decoder.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/goldens.h"
#include "text/tiny_tokenizer.h"
#include "text/unicode.h"

namespace vl2 {
namespace {

TEST(StreamDecoder, HoldsBackUnfinishedCharacters) {
  StreamDecoder decoder(testing::tiny_tokenizer());
  EXPECT_EQ(decoder.push('a'), "a");
  EXPECT_EQ(decoder.push(0xF0), "");
  EXPECT_EQ(decoder.push(0x9F), "");
  EXPECT_EQ(decoder.push(0x98), "");
  EXPECT_EQ(decoder.push(0x80), "\U0001F600");
  EXPECT_EQ(decoder.push(0xE2), "");
  EXPECT_EQ(decoder.push('b'),
            "\uFFFD"
            "b");
  EXPECT_EQ(decoder.push(0xC3), "");
  EXPECT_EQ(decoder.flush(), "\uFFFD");
  EXPECT_EQ(decoder.flush(), "");
}

TEST(StreamDecoder, SkippedTokensDoNotBreakCharacters) {
  StreamDecoder decoder(testing::tiny_tokenizer(), true);
  EXPECT_EQ(decoder.push(0xC3), "");
  EXPECT_EQ(decoder.push(testing::kEos), "");
  EXPECT_EQ(decoder.push(0xA9), "\u00E9");
}

// Random tokens, most of them single bytes, make all kinds of broken and whole characters.
TEST(StreamDecoder, PiecesJoinToTheWhole) {
  std::mt19937 random(7);
  const std::vector<std::int32_t> lively = {0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F,
                                            0x98, 0x80, 0xED, 0xBF, 'a',  -1,   testing::kEos};
  const Tokenizer tokenizer = testing::tiny_tokenizer();
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::int32_t> ids(random() % 12);
    for (std::int32_t& id : ids) id = lively[random() % lively.size()];
    for (const bool skip_special : {false, true}) {
      StreamDecoder decoder(tokenizer, skip_special);
      std::string joined;
      for (const std::int32_t id : ids) {
        const std::string piece = decoder.push(id);
        EXPECT_EQ(valid_utf8_prefix(piece), piece.size());
        joined += piece;
      }
      EXPECT_EQ(joined + decoder.flush(), tokenizer.decode(ids, skip_special));
    }
  }
}

TEST(StreamDecoder, WholeCharactersAreShownAtOnce) {
  const Tokenizer tokenizer = testing::checkpoint_tokenizer("mha-softmax");
  StreamDecoder decoder(tokenizer);
  std::string shown;
  for (const std::int32_t id : tokenizer.encode("Ünïcödé 数字")) shown += decoder.push(id);
  EXPECT_EQ(shown, "Ünïcödé 数字");
}

}  // namespace
}  // namespace vl2
