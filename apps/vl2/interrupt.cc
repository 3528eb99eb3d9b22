// SPDX-License-Identifier: MIT
#include "interrupt.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "vl2/error.h"

#include "command.h"

namespace vl2 {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;
// A byte waits in it while an interrupt is noted: a signal just before poll() would be slept over.
int bell_read = -1;
int bell_write = -1;

extern "C" void note_interrupt(int) {
  if (interrupt_count != 0) _exit(kExitInterrupted);
  interrupt_count = 1;
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(bell_write, "", 1);
  errno = error;
}

}  // namespace

void catch_interrupts() {
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Error(ErrorCode::io, fmt::format("cannot open a pipe: {}", std::strerror(errno)));
  }
  bell_read = ends[0];
  bell_write = ends[1];
  struct sigaction action = {};
  action.sa_handler = note_interrupt;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART, so that waiting for a line of input ends too.
  action.sa_flags = 0;
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() noexcept { return interrupt_count != 0; }

void stop_if_interrupted() {
  if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
}

void forget_interrupt() noexcept {
  interrupt_count = 0;
  char byte = 0;
  while (::read(bell_read, &byte, 1) > 0) {
  }
}

bool wait_for_input(int descriptor) noexcept {
  std::array<pollfd, 2> ends = {{{descriptor, POLLIN, 0}, {bell_read, POLLIN, 0}}};
  while (!interrupted()) {
    if (poll(ends.data(), ends.size(), -1) > 0 && ends[0].revents != 0) return !interrupted();
  }
  return false;
}

}  // namespace vl2
