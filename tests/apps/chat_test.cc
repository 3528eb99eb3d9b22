// SPDX-License-Identifier: MIT
// The chat, on a terminal of its own and through a pipe.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/demo_cases.h"
#include "apps/program.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class ChatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cases_ = simple_cases();
    ASSERT_GE(cases_.size(), 2U) << "the demo needs two simple questions";
  }
  TemporaryFolder home_;
  std::vector<DemoCase> cases_;
};

TEST_F(ChatTest, TwoQuestionsOnATerminal) {
  RunningProgram program({"run", "-m", kNano, "-i", cases_[0].images[0]}, true, home_.path());
  ASSERT_TRUE(program.wait_for_prompt());
  program.type(cases_[0].prompt + "\n");
  ASSERT_TRUE(program.wait_for_output(cases_[0].output + "\n"));
  program.type("/clear\n/image " + cases_[1].images[0] + "\n" + cases_[1].prompt + "\n");
  ASSERT_TRUE(program.wait_for_output(cases_[0].output + "\n" + cases_[1].output + "\n"));
  program.type("/quit\n");
  EXPECT_EQ(program.wait(), 0);
  // Standard output holds the answers alone.
  EXPECT_EQ(program.output(), cases_[0].output + "\n" + cases_[1].output + "\n");
}

TEST_F(ChatTest, HistoryOutlivesTheProgram) {
  {
    RunningProgram program({"run", "-m", kNano}, true, home_.path());
    ASSERT_TRUE(program.wait_for_prompt());
    program.type("/help\n");
    ASSERT_TRUE(program.wait_for_screen("/image FILE"));
    ASSERT_TRUE(program.wait_for_prompt());
    program.type("\x04");
    EXPECT_EQ(program.wait(), 0);
  }
  RunningProgram program({"run", "-m", kNano}, true, home_.path());
  ASSERT_TRUE(program.wait_for_prompt());
  program.type("\x1b[A\n");
  EXPECT_TRUE(program.wait_for_screen("/image FILE"));
}

TEST_F(ChatTest, LettersBeyondAsciiArriveWhole) {
  RunningProgram program({"run", "-m", kNano}, true, home_.path());
  ASSERT_TRUE(program.wait_for_prompt());
  program.type("/löffel 长\n");
  EXPECT_TRUE(program.wait_for_screen("no command /löffel"));
}

TEST_F(ChatTest, InterruptEndsTheAnswerAndNotTheChat) {
  RunningProgram program({"run", "-m", kCheckpoints / "mla-softmax", "--max-tokens", "10000000",
                          "--context", "4000000"},
                         true, home_.path());
  ASSERT_TRUE(program.wait_for_prompt());
  program.type("hello\n");
  ASSERT_TRUE(program.wait_for_any_output());
  program.send(SIGINT);
  ASSERT_TRUE(program.wait_for_prompt());
  program.type("/help\n");
  ASSERT_TRUE(program.wait_for_screen("/image FILE"));
  program.type("/quit\n");
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(ChatTest, QuestionsThroughAPipe) {
  Surroundings around;
  around.input = cases_[0].prompt + "\n";
  const Result result = run_on_nano("run", {"-i", cases_[0].images[0]}, around);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, cases_[0].output + "\n");
  EXPECT_EQ(result.errors, "");
}

TEST_F(ChatTest, SavedConversationIsReadBack) {
  fs::copy(cases_[0].images[0], home_ / "picture.png");
  Surroundings around;
  around.input = "/image " + std::string(home_ / "picture.png") + "\n" + cases_[0].prompt +
                 "\n/save " + std::string(home_ / "saved.json") + "\n";
  const Result chat = run_on_nano("run", {}, around);
  ASSERT_EQ(chat.exit_code, 0) << chat.errors;
  std::ifstream file(home_ / "saved.json");
  json saved = json::parse(file);
  ASSERT_EQ(saved.size(), 2U);
  EXPECT_EQ(saved[0]["role"], "<|User|>");
  EXPECT_EQ(saved[0]["content"], "<image>\n" + cases_[0].prompt);
  EXPECT_EQ(saved[0]["images"], json({"picture.png"}));
  EXPECT_EQ(saved[1]["role"], "<|Assistant|>");
  EXPECT_EQ(saved[1]["content"], cases_[0].output);
  saved[1]["content"] = "";
  write_file(home_ / "saved.json", saved.dump());
  EXPECT_EQ(run_on_nano("run", {"--conversation", home_ / "saved.json"}).output,
            cases_[0].output + "\n");
}

TEST_F(ChatTest, MistakesDoNotEndIt) {
  Surroundings around;
  around.input = "/image missing.png\n/save\n/dance\n/save /no/such/folder/x.json\n/image \"" +
                 cases_[0].images[0] + "\"\n" + cases_[0].prompt + "\n";
  const Result result = run_on_nano("run", {}, around);
  EXPECT_EQ(result.exit_code, 1);  // a script should know
  EXPECT_EQ(result.output, cases_[0].output + "\n");
  for (const char* word : {"missing.png", "/save needs a file", "/dance", "/no/such/folder"})
    EXPECT_THAT(result.errors, HasSubstr(word));
}

TEST_F(ChatTest, QuestionThatDoesNotFitIsForgotten) {
  Surroundings around;
  around.input = std::string(3000, 'x') + "\n/save " + std::string(home_ / "saved.json") + "\n";
  const Result result = run_on_nano("run", {"--context", "64"}, around);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("64"));
  std::ifstream file(home_ / "saved.json");
  EXPECT_EQ(json::parse(file), json::array());
}

}  // namespace
}  // namespace vl2
