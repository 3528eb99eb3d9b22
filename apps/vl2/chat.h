// SPDX-License-Identifier: MIT
// Questions and answers, line by line, until /quit or the end of the input.
#pragma once

#include "vl2/engine.h"

#include "dialogue.h"
#include "run_options.h"

namespace vl2 {

// `dialogue` may hold a system text already; the pictures of `options` belong to the first
// question. Returns the program's exit code.
int chat(Engine& engine, Dialogue dialogue, const RunOptions& options);

}  // namespace vl2
