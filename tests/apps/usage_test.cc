// SPDX-License-Identifier: MIT
// Wrong usage, wrong models, broken outputs: exit codes and messages.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "apps/demo_cases.h"
#include "apps/program.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Usage, HelpNamesEveryCommandOnStandardOutput) {
  const Result result = run_program({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.errors, "");
  for (const char* command :
       {"run", "bench", "eval", "compare", "info", "tokenize", "preprocess"}) {
    EXPECT_THAT(result.output, HasSubstr(command));
    const Result help = run_program({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.output, HasSubstr("Usage: vl2 " + std::string(command)));
  }
}

TEST(Usage, VersionIsOneLine) {
  const Result result = run_program({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output.starts_with("vl2 ")) << result.output;
}

class WrongUsage : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(WrongUsage, EndsWithTwoAndOneLine) {
  const Result result = run_program(GetParam());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(is_one_clear_line(result.errors));
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, WrongUsage,
    ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{"walk"},
                      std::vector<std::string>{"run", "--no-such-option"},
                      std::vector<std::string>{"run", "--json"},
                      std::vector<std::string>{"run", "--logprobs", "2", "hello"},
                      std::vector<std::string>{"run", "--temperature", "-1", "hello"},
                      std::vector<std::string>{"run", "--top-p", "1.5", "hello"},
                      std::vector<std::string>{"run", "--max-tokens", "many", "hello"},
                      std::vector<std::string>{"run", "--weights", "fp8", "hello"},
                      std::vector<std::string>{"run", "--chunk-size", "0", "hello"},
                      std::vector<std::string>{"run", "-i"},
                      std::vector<std::string>{"run", "two", "prompts"},
                      std::vector<std::string>{"preprocess"}, std::vector<std::string>{"eval"},
                      std::vector<std::string>{"compare", "bf16", "int4"},
                      std::vector<std::string>{"compare", "bf16", "int4", "x", "--vision", "f32"},
                      std::vector<std::string>{"tokenize", "--decode", "--conversation", "x"},
                      std::vector<std::string>{"bench", "--shape", "huge"},
                      std::vector<std::string>{"bench", "--shape", "tiny", "-m", "x"}));

TEST(Usage, UnknownCommandIsNamed) {
  EXPECT_THAT(run_program({"frob"}).errors, HasSubstr("no command \"frob\""));
  EXPECT_THAT(run_program({"--frob"}).errors, HasSubstr("no option \"--frob\""));
}

TEST(Pictures, TooThinOneIsNamed) {
  const std::string strip = kGoldens / "images" / "bad" / "strip_1200x1.png";
  const std::vector<std::vector<std::string>> commands = {
      {"preprocess", "-m", kNano, "-i", strip}, {"run", "-m", kNano, "-i", strip, "hello"}};
  for (const std::vector<std::string>& arguments : commands) {
    const Result result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(is_one_clear_line(result.errors));
    EXPECT_THAT(result.errors, HasSubstr(strip + ": a picture of 1200 x 1 pixels is too thin"));
  }
}

TEST(Model, MustBeAFolderWithAConfiguration) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  const std::pair<std::string, std::string> wrong[] = {{folder / "missing", "no such model folder"},
                                                       {folder / "file", "is not a folder"},
                                                       {folder.path(), "config.json"}};
  for (const auto& [model, complaint] : wrong) {
    for (const char* command : {"run", "info", "tokenize", "bench"}) {
      std::vector<std::string> arguments = {command, "-m", model};
      if (std::string(command) == "run") arguments.push_back("hello");
      const Result result = run_program(arguments);
      EXPECT_EQ(result.exit_code, 1) << command;
      EXPECT_TRUE(is_one_clear_line(result.errors));
      EXPECT_THAT(result.errors, HasSubstr(complaint));
      EXPECT_THAT(result.errors, HasSubstr(model));
    }
  }
}

// The layout of an installed program.
TEST(Model, BundledOneIsFoundNextToTheProgramAndNamed) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "bin");
  fs::create_directories(folder / "share" / "vl2" / "models");
  fs::copy(VL2_PROGRAM, folder / "bin" / "vl2");
  fs::create_directory_symlink(kNano, folder / "share" / "vl2" / "models" / "vl2-nano");
  const DemoCase demo = simple_cases().at(0);
  std::vector<std::string> arguments = arguments_of(demo);
  arguments.insert(arguments.begin(), "run");
  Surroundings around;
  around.program = folder / "bin" / "vl2";
  const Result result = run_program(arguments, around);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, demo.output + "\n");
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("vl2-nano"));
}

TEST(Model, EnvironmentNamesADefault) {
  Surroundings around;
  around.environment = {{"VL2_MODEL", kNano.string()}};
  const Result result = run_program({"info", "--json"}, around);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("VL2_MODEL"));
  EXPECT_EQ(result.json()["model"], kNano.string());
}

TEST(Model, UnknownInstructionSetIsAnError) {
  Surroundings around;
  around.environment = {{"VL2_ISA", "mmx"}};
  const Result result = run_on_nano("run", {"hello"}, around);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("mmx"));
}

TEST(Output, FullDiskIsAnError) {
  Surroundings around;
  around.output_file = "/dev/full";
  const std::vector<std::vector<std::string>> commands = {
      {"--help"}, {"info", "-m", kNano}, {"run", "-m", kNano, "hello"}};
  for (const std::vector<std::string>& arguments : commands) {
    const Result result = run_program(arguments, around);
    EXPECT_EQ(result.exit_code, 1) << arguments[0];
    EXPECT_TRUE(is_one_clear_line(result.errors));
    EXPECT_THAT(result.errors, HasSubstr("standard output"));
  }
}

TEST(Output, ClosedPipeEndsQuietly) {
  Surroundings around;
  around.program = "/bin/sh";
  const std::string info = std::string(VL2_PROGRAM) + " info -m " + kNano.string();
  const Result result =
      run_program({"-c", "( sleep 0.2; " + info + "; echo code $? >&2 ) | true"}, around);
  EXPECT_EQ(result.errors, "code 0\n");
}

TEST(Errors, StayOnOneLineWhateverTheFileIsCalled) {
  const Result result = run_on_nano("run", {"-i", "no\nsuch\x1b[31mfile", "hello"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_EQ(result.errors.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vl2
