// SPDX-License-Identifier: MIT
// vl2 serve: the OpenAI API over HTTP.
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "command.h"
#include "output.h"
#include "serve_options.h"
#include "server/server.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "Answer over HTTP, in the words of the OpenAI API";
constexpr const char* kExamples =
    "  vl2 serve -m deepseek-vl2-tiny\n"
    "  vl2 serve --host 0.0.0.0 --port 80 --api-key-file keys.txt\n"
    "  curl localhost:8080/v1/chat/completions -d "
    "'{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'";

// One line on standard error, with the time in front.
void write_log(std::string_view line) {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  const std::string text =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z {}\n",
                  fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms.count() % 1000, line);
  // One write, so that lines of several threads do not mix. Nothing is to be done if it fails.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

// SIGTERM and SIGINT, taken by a thread of their own: the first lets the server finish, the second
// ends the program at once.
class Signals {
 public:
  // Before any other thread starts, so that none of them is interrupted.
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~Signals() {
    ended_ = true;
    if (thread_.joinable()) {
      pthread_kill(thread_.native_handle(), SIGUSR1);
      thread_.join();
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void watch(Server& server) {
    thread_ = std::thread([this, &server] {
      bool asked = false;
      while (true) {
        int signal = 0;
        sigwait(&set_, &signal);
        if (ended_) return;
        if (signal == SIGUSR1) continue;
        if (asked) _exit(kExitInterrupted);
        asked = true;
        write_log(fmt::format("draining signal={}", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
        server.drain();
      }
    });
  }

 private:
  sigset_t set_ = {};
  sigset_t before_ = {};
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

int serve(const ServeOptions& options) {
  ServerOptions with = server_options(options);
  const bool quiet = options.quiet;
  with.log = [quiet](std::string_view line) {
    if (!quiet || !line.starts_with("request ")) write_log(line);
  };
  Signals signals;
  Server server(with);
  signals.watch(server);
  write_log(fmt::format("listening url=http://{}:{}", with.http.host, server.port()));
  server.run();
  write_log("stopped");
  return kExitFine;
}

}  // namespace

void add_serve_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = program.add_subcommand("serve", kDescription);
  command->footer(kExamples);
  add_serve_options(*command, *options);
  command->callback([options, command, &action] {
    read_serve_config(*command, *options);
    action = [options] { return serve(*options); };
  });
}

}  // namespace vl2
