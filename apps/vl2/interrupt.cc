// SPDX-License-Identifier: MIT
#include "interrupt.h"

#include <csignal>

#include <unistd.h>

#include "command.h"

namespace vl2 {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;

extern "C" void note_interrupt(int) {
  if (interrupt_count != 0) _exit(kExitInterrupted);
  interrupt_count = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = note_interrupt;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART, so that waiting for a line of input ends too.
  action.sa_flags = 0;
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() noexcept { return interrupt_count != 0; }

void forget_interrupt() noexcept { interrupt_count = 0; }

}  // namespace vl2
