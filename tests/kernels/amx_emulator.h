// SPDX-License-Identifier: MIT
// Lets the tests of the AMX kernels run on processors without AMX: executes the tile instructions
// in software when the processor refuses them (SIGILL).
#pragma once

namespace vl2 {

// True when AMX instructions can be executed from now on: by the processor itself, in which case
// nothing is installed, or by a signal handler that needs AVX-512. False when neither is possible.
// Covers ldtilecfg, sttilecfg, tilerelease, tilezero, tileloadd, tileloaddt1, tilestored,
// tdpbf16ps and tdpbssd; other illegal instructions end the process as before. Tiles are per
// thread, as in the processor.
bool install_amx_emulator();

// Tile instructions executed in software so far, by all threads.
unsigned long emulated_tile_instructions();

}  // namespace vl2
