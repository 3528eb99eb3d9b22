// SPDX-License-Identifier: MIT
// vl2 bench --serve: what many users at once get, and what one sees while a long prompt is read.
#pragma once

#include <cstddef>
#include <string>

#include "base/parallel.h"
#include "engine/model_files.h"
#include "kernels/limits/limits.h"
#include "output.h"

namespace vl2 {

// Positions that a model must have room for.
inline constexpr std::size_t kServeContextTokens = 4096;
inline constexpr int kMostServeRepeat = 100;

struct ServeBench {
  const LoadedModel& loaded;
  const ThreadTeam& team;
  const LimitMeter& meter;
  int repeat = 5;
};

// One entry a number of streams; what they do is described in docs/cli.md.
Json bench_streams_together(const ServeBench& bench);
std::string streams_together_text(const Json& streams);

// One entry a chunk size.
Json bench_prompt_beside(const ServeBench& bench);
std::string prompt_beside_text(const Json& chunks);

}  // namespace vl2
