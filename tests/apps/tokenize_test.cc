// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/program.h"

namespace vl2 {
namespace {

using nlohmann::json;

Surroundings input(const std::string& text) {
  Surroundings around;
  around.input = text;
  return around;
}

TEST(Tokenize, IdsAndPiecesJoinToTheText) {
  const std::string text = "How many red shapes?\n<|ref|>the \xC3\xA4<|/ref|>";
  const json report = run_on_nano("tokenize", {"--json"}, input(text)).json();
  ASSERT_EQ(report["ids"].size(), report["pieces"].size());
  const json back =
      run_on_nano("tokenize", {"--decode", "--json"}, input(report["ids"].dump())).json();
  EXPECT_EQ(back["text"], text);
}

TEST(Tokenize, TextHasALineAToken) {
  const json report = run_on_nano("tokenize", {"--json"}, input("one two")).json();
  const Result result = run_on_nano("tokenize", {}, input("one two"));
  EXPECT_EQ(static_cast<std::size_t>(std::count(result.output.begin(), result.output.end(), '\n')),
            report["ids"].size());
}

TEST(Tokenize, NothingGivesNothing) {
  EXPECT_EQ(run_on_nano("tokenize", {"--json"}, input("")).json()["ids"], json::array());
}

TEST(Tokenize, BytesThatAreNoTextGiveValidJson) {
  const Result result = run_on_nano("tokenize", {"--json"}, input("\xFF\xC3"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.json()["ids"].size(), 2U);
}

TEST(Tokenize, DecodeTakesNumbersOnly) {
  EXPECT_EQ(run_on_nano("tokenize", {"--decode"}, input("1, 2\n[3]")).exit_code, 0);
  for (const char* wrong : {"one", "-1", "99999999999", "1.5", "1;2"}) {
    const Result result = run_on_nano("tokenize", {"--decode"}, input(wrong));
    EXPECT_EQ(result.exit_code, 1) << wrong;
    EXPECT_TRUE(is_one_clear_line(result.errors));
  }
}

TEST(Tokenize, ConversationsAreThoseOfTheOriginal) {
  const TemporaryFolder folder;
  std::filesystem::copy(kGoldens / "images", folder.path());
  for (const char* name : {"one_image", "multi_turn_images", "system", "extra_images",
                           "grounding_answer_continued", "lowercase_roles"}) {
    std::ifstream file(kGoldens / "conversations" / (std::string(name) + ".json"));
    const json golden = json::parse(file);
    write_file(folder / "c.json", golden["conversation"].dump());
    const Result result = run_program({"tokenize", "-m", kCheckpoints / "mha-softmax", "--json",
                                       "--conversation", folder / "c.json"});
    ASSERT_EQ(result.exit_code, 0) << name << result.errors;
    EXPECT_EQ(result.json()["ids"], golden["per_checkpoint"]["mha-softmax"]["input_ids"]) << name;
  }
}

}  // namespace
}  // namespace vl2
