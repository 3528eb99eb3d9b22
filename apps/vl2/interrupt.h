// SPDX-License-Identifier: MIT
// Ctrl-C: the first one asks the program to stop what it is doing, a second one ends it.
#pragma once

namespace vl2 {

// From here on SIGINT is noted instead of ending the program. A second SIGINT before
// forget_interrupt() ends it at once with kExitInterrupted.
void catch_interrupts();

bool interrupted() noexcept;
void forget_interrupt() noexcept;
// Throws Error{cancelled} once there was one.
void stop_if_interrupted();

// Waits until `descriptor` can be read. False when Ctrl-C came first, on whichever thread the
// system chose to tell.
bool wait_for_input(int descriptor) noexcept;

}  // namespace vl2
