// SPDX-License-Identifier: MIT
#include <csignal>

#include <gtest/gtest.h>

#include "apps/program.h"

namespace vl2 {
namespace {

// A random model that goes on for ever, so that there is time to interrupt it.
std::vector<std::string> endless_answer() {
  return {"run",     "-m",   kCheckpoints / "mla-softmax", "--max-tokens", "10000000", "--context",
          "4000000", "hello"};
}

TEST(Interrupt, EndsTheAnswerAndKeepsWhatThereIs) {
  RunningProgram program(endless_answer(), false);
  ASSERT_TRUE(program.wait_for_any_output());
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  EXPECT_GT(program.output().size(), 1U);
  EXPECT_EQ(program.output().back(), '\n');
}

TEST(Interrupt, JsonSaysThatTheAnswerIsNotWhole) {
  std::vector<std::string> arguments = endless_answer();
  arguments.push_back("--json");
  RunningProgram program(arguments, true);
  ASSERT_TRUE(program.wait_for_screen("reading prompt"));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  EXPECT_EQ(nlohmann::json::parse(program.output())["finish_reason"], "cancelled");
}

TEST(Interrupt, EndsTheWaitForQuestions) {
  const TemporaryFolder home;
  RunningProgram program({"run", "-m", kNano}, true, home.path());
  ASSERT_TRUE(program.wait_for_prompt());
  program.send(SIGINT);
  ASSERT_TRUE(program.wait_for_screen("once more"));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
}

}  // namespace
}  // namespace vl2
