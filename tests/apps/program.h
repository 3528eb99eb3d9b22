// SPDX-License-Identifier: MIT
// Runs the program and collects what it says.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace vl2 {

inline const std::filesystem::path kNano = std::filesystem::path(VL2_MODELS) / "vl2-nano";
inline const std::filesystem::path kGoldens = std::filesystem::path(VL2_TEST_DATA) / "goldens";
inline const std::filesystem::path kCheckpoints = kGoldens / "checkpoints";

struct Surroundings {
  std::string input;                                             // standard input
  std::vector<std::pair<std::string, std::string>> environment;  // set on top of our own
  std::string output_file;                                       // instead of a pipe
  std::string program = VL2_PROGRAM;
};

struct Result {
  int exit_code = -1;  // 128 + the signal if one ended it
  std::string output;
  std::string errors;
  std::size_t peak_bytes = 0;  // of memory

  nlohmann::json json() const { return nlohmann::json::parse(output); }
};

// Waits for the end. Runs without VL2_MODEL unless the surroundings set it.
Result run_program(const std::vector<std::string>& arguments, const Surroundings& around = {});

// `run_program` on the bundled model: the arguments after "COMMAND -m vl2-nano".
Result run_on_nano(const std::string& command, const std::vector<std::string>& arguments,
                   const Surroundings& around = {});

// One line that begins with "vl2: ".
::testing::AssertionResult is_one_clear_line(const std::string& errors);

// A program that is at work. Standard input and standard error are a terminal if asked for, else
// closed and dropped.
class RunningProgram {
 public:
  RunningProgram(const std::vector<std::string>& arguments, bool on_terminal,
                 const std::filesystem::path& home = {});
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void type(const std::string& text) const;
  void send(int signal) const;
  // Reads standard output until it holds `text`, or fails after a minute.
  ::testing::AssertionResult wait_for_output(const std::string& text);
  ::testing::AssertionResult wait_for_any_output();
  // The same for what the terminal shows.
  ::testing::AssertionResult wait_for_screen(const std::string& text);
  // Until the terminal shows an empty prompt, so that what is typed now is edited, not lost.
  ::testing::AssertionResult wait_for_prompt();
  // Reads the rest of everything and waits for the end.
  int wait();

  const std::string& output() const { return output_; }
  const std::string& screen() const { return screen_; }

 private:
  template <class Done>
  ::testing::AssertionResult read_until(Done done);
  bool read_some(int milliseconds);

  pid_t process_ = -1;
  int output_pipe_ = -1;
  int terminal_ = -1;
  std::string output_;
  std::string screen_;
};

// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::size_t file_count() const;

 private:
  std::filesystem::path path_;
};

void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace vl2
