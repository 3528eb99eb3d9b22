// SPDX-License-Identifier: MIT
#include "apps/program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{60};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Only calls that are allowed between fork and exec in a process with threads.
[[noreturn]] void become(const std::string& program, const std::vector<char*>& arguments) {
  execv(program.c_str(), arguments.data());
  _exit(127);
}

std::vector<char*> argument_list(const std::string& program,
                                 const std::vector<std::string>& arguments) {
  std::vector<char*> list = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
  list.push_back(nullptr);
  return list;
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result run_program(const std::vector<std::string>& arguments, const Surroundings& around) {
  const TemporaryFolder folder;
  write_file(folder / "input", around.input);
  const std::string input = folder / "input";
  const std::string output =
      around.output_file.empty() ? std::string(folder / "output") : around.output_file;
  const std::string errors = folder / "errors";
  const std::vector<char*> list = argument_list(around.program, arguments);
  const pid_t process = fork();
  if (process == 0) {
    unsetenv("VL2_MODEL");
    for (const auto& [name, value] : around.environment) setenv(name.c_str(), value.c_str(), 1);
    dup2(open(input.c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    become(around.program, list);
  }
  int status = 0;
  rusage used{};
  wait4(process, &status, 0, &used);
  return {exit_code_of(status), around.output_file.empty() ? read_file(output) : std::string(),
          read_file(errors), static_cast<std::size_t>(used.ru_maxrss) << 10};
}

Result run_on_nano(const std::string& command, const std::vector<std::string>& arguments,
                   const Surroundings& around) {
  std::vector<std::string> all = {command, "-m", kNano.string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_program(all, around);
}

::testing::AssertionResult is_one_clear_line(const std::string& errors) {
  const bool one_line = std::count(errors.begin(), errors.end(), '\n') == 1 &&
                        errors.back() == '\n' && errors.starts_with("vl2: ");
  if (one_line) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "not one line of an error: " << errors;
}

RunningProgram::RunningProgram(const std::vector<std::string>& arguments, bool on_terminal,
                               const fs::path& home) {
  const std::string program = VL2_PROGRAM;
  const std::vector<char*> list = argument_list(program, arguments);
  std::array<int, 2> pipe_ends = {-1, -1};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  int follower = open("/dev/null", O_RDWR | O_CLOEXEC);
  winsize size = {24, 200, 0, 0};
  if (on_terminal) {
    close(follower);
    if (openpty(&terminal_, &follower, nullptr, nullptr, &size) != 0)
      throw std::runtime_error("no terminal");
    fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  }
  process_ = fork();
  if (process_ == 0) {
    if (!home.empty()) setenv("XDG_STATE_HOME", home.c_str(), 1);
    setenv("TERM", "xterm", 1);
    if (on_terminal) {
      login_tty(follower);
    } else {
      dup2(follower, STDIN_FILENO);
      dup2(follower, STDERR_FILENO);
    }
    dup2(pipe_ends[1], STDOUT_FILENO);
    become(program, list);
  }
  close(follower);
  close(pipe_ends[1]);
  output_pipe_ = pipe_ends[0];
}

RunningProgram::~RunningProgram() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (output_pipe_ >= 0) close(output_pipe_);
  if (terminal_ >= 0) close(terminal_);
}

void RunningProgram::type(const std::string& text) const {
  ASSERT_EQ(write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

void RunningProgram::send(int signal) const { kill(process_, signal); }

// False once both ends are closed.
bool RunningProgram::read_some(int milliseconds) {
  std::array<pollfd, 2> waiting = {{{output_pipe_, POLLIN, 0}, {terminal_, POLLIN, 0}}};
  poll(waiting.data(), waiting.size(), milliseconds);
  std::array<char, 4096> bytes;
  bool open = false;
  for (const pollfd& end : waiting) {
    if (end.fd < 0) continue;
    if (end.revents == 0) {
      open = true;
      continue;
    }
    const ssize_t count = read(end.fd, bytes.data(), bytes.size());
    if (count <= 0) continue;  // a terminal whose program has ended gives EIO
    open = true;
    (end.fd == output_pipe_ ? output_ : screen_)
        .append(bytes.data(), static_cast<std::size_t>(count));
  }
  return open;
}

template <class Done>
::testing::AssertionResult RunningProgram::read_until(Done done) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  bool open = true;
  while (!done()) {
    if (!open || std::chrono::steady_clock::now() > end) {
      return ::testing::AssertionFailure()
             << "it never came; output: " << output_ << "\nscreen: " << screen_;
    }
    open = read_some(100);
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult RunningProgram::wait_for_output(const std::string& text) {
  return read_until([&] { return output_.find(text) != output_.npos; });
}

::testing::AssertionResult RunningProgram::wait_for_any_output() {
  return read_until([&] { return !output_.empty(); });
}

::testing::AssertionResult RunningProgram::wait_for_screen(const std::string& text) {
  return read_until([&] { return screen_.find(text) != screen_.npos; });
}

::testing::AssertionResult RunningProgram::wait_for_prompt() {
  return read_until([&] { return screen_.ends_with("> "); });
}

int RunningProgram::wait() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (read_some(100) && std::chrono::steady_clock::now() < end) {
  }
  if (std::chrono::steady_clock::now() >= end) kill(process_, SIGKILL);
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  return exit_code_of(status);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "vl2-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::size_t TemporaryFolder::file_count() const {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
}

}  // namespace vl2
