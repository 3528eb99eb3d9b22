// SPDX-License-Identifier: MIT
#include "text/tokenizer.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

#include "text/goldens.h"
#include "text/tiny_tokenizer.h"

namespace vl2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kAb;
using testing::kAbc;
using testing::kBos;
using testing::kEos;
using testing::kSpaceA;
using testing::tiny_tokenizer;
using testing::tiny_tokenizer_json;

std::string bytes_of(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::string bytes;
  for (const std::int32_t id : ids) bytes += tokenizer.bytes(id);
  return bytes;
}

TEST(Tokenizer, MergesInsidePieces) {
  const Tokenizer tokenizer = tiny_tokenizer();
  EXPECT_THAT(tokenizer.encode("abcab abc"), ElementsAre(kAbc, kAb, ' ', kAbc));
  EXPECT_THAT(tokenizer.encode(" ac"), ElementsAre(kSpaceA, 'c'));
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
}

TEST(Tokenizer, IgnoreMergesTakesWholePieces) {
  nlohmann::json json = tiny_tokenizer_json();
  json["model"]["vocab"]["bcb"] = 300;  // not made by any merge
  EXPECT_THAT(tiny_tokenizer(json).encode("bcb"), ElementsAre('b', 'c', 'b'));
  json["model"]["ignore_merges"] = true;
  EXPECT_THAT(tiny_tokenizer(json).encode("bcb abcb"), ElementsAre(300, ' ', kAbc, 'b'));
}

TEST(Tokenizer, SpecialTokensInTextBecomeTokens) {
  const Tokenizer tokenizer = tiny_tokenizer();
  EXPECT_THAT(tokenizer.encode("a<s>b</s>"), ElementsAre('a', kBos, 'b', kEos));
  EXPECT_THAT(tokenizer.encode("<image>"), ElementsAre(tokenizer.image_id()));
}

TEST(Tokenizer, DecodesWithAndWithoutSpecialTokens) {
  const Tokenizer tokenizer = tiny_tokenizer();
  const std::vector<std::int32_t> ids = {kBos, kAbc, -1, 100'000, kSpaceA, kEos};
  EXPECT_EQ(tokenizer.decode(ids), "<s>abc a</s>");
  EXPECT_EQ(tokenizer.decode(ids, true), "abc a");
}

TEST(Tokenizer, AnyBytesComeBack) {
  const Tokenizer tokenizer = tiny_tokenizer();
  std::string text =
      "ab\xFF"
      "ab \xC3<s>\xE2\x82 \xF0\x9F\x98\x80";
  for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
  const std::vector<std::int32_t> ids = tokenizer.encode(text);
  EXPECT_EQ(bytes_of(tokenizer, ids), text);
  EXPECT_THAT(tokenizer.decode(tokenizer.encode("a\xFF")), "a\uFFFD");
}

TEST(Tokenizer, FindsIdsByText) {
  const Tokenizer tokenizer = tiny_tokenizer();
  EXPECT_EQ(tokenizer.id_of("</s>"), kEos);
  EXPECT_EQ(tokenizer.id_of(" a"), kSpaceA);
  EXPECT_FALSE(tokenizer.id_of("nothing"));
  EXPECT_FALSE(tokenizer.id_of(""));
}

TEST(Tokenizer, ThreadsMayShareIt) {
  const Tokenizer tokenizer = testing::checkpoint_tokenizer("mla-softmax");
  const std::string text = "Shared by all threads: 12345 \u6570\u5B57 <|User|>.";
  const std::vector<std::int32_t> expected = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += tokenizer.encode(text) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

// Lines of repeated hard cases, a megabyte together.
std::string long_text(const std::string& line) {
  std::string text;
  while (text.size() < (1 << 20)) text += line;
  return text;
}

TEST(Tokenizer, LongTextsComplete) {
  const std::vector<std::string> texts = {
      std::string(1 << 20, 'a'),
      std::string(1 << 20, ' '),
      std::string(1 << 20, ' ') + "\u0627",  // spaces that end no line, before a late script
      std::string(1 << 20, '<'),
      std::string(1 << 20, '\xFF'),
      std::string(1 << 20, '7'),
      long_text("a b\u3000\n"),
      long_text("The table in the garden is for 12 people, isn't it? "),
      long_text("<|ref|>"),
  };
  for (const std::string& checkpoint : testing::checkpoints()) {
    const Tokenizer tokenizer = testing::checkpoint_tokenizer(checkpoint);
    for (const std::string& text : texts) {
      EXPECT_EQ(bytes_of(tokenizer, tokenizer.encode(text)), text) << checkpoint;
    }
  }
}

TEST(Tokenizer, BundledModelTokenizesItsPrompts) {
  const std::filesystem::path folder = std::filesystem::path(VL2_MODELS) / "vl2-nano";
  const Tokenizer tokenizer = Tokenizer::load(folder);
  std::ifstream lines(folder / "eval" / "eval.jsonl");
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const nlohmann::json sample = nlohmann::json::parse(line);
    EXPECT_EQ(tokenizer.decode(testing::ids_of(sample.at("output_ids"))), sample.at("output"));
  }
  EXPECT_EQ(cases, 87);
}

TEST(Tokenizer, MissingFilesAreNamed) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "vl2_no_files";
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / "tokenizer.json");
  const auto error_of = [&] {
    try {
      Tokenizer::load(folder);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found);
      return std::string(error.what());
    }
    return std::string("(no error)");
  };
  EXPECT_THAT(error_of(), HasSubstr((folder / "tokenizer.json").string()));
  std::ofstream(folder / "tokenizer.json") << tiny_tokenizer_json();
  EXPECT_THAT(error_of(), HasSubstr((folder / "tokenizer_config.json").string()));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vl2
