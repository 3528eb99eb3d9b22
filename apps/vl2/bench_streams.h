// SPDX-License-Identifier: MIT
// Many streams through the engine's scheduler, as `vl2 serve` runs it, without HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/parallel.h"
#include "engine/model_files.h"
#include "engine/runtime.h"

namespace vl2 {

// Prompts are random tokens, new ones every time, so that no cache helps.
class StreamBench {
 public:
  struct Options {
    std::size_t context_tokens = 512;  // of each stream's prompt
    std::size_t chunk_tokens = 512;    // of prompts in a step while others generate
    std::size_t most_streams = 16;
    std::size_t longest_prompt = 2048;
  };
  // `loaded` is borrowed.
  StreamBench(const LoadedModel& loaded, const ThreadTeam& team, const Options& options);

  // Starts so many streams at once. Returns the seconds until each had its first token.
  std::vector<double> start(std::size_t streams);
  // So many steps with all streams generating. Returns the seconds of each.
  std::vector<double> generate(std::size_t steps);
  // Adds a prompt. Returns the seconds of each step until it has its first token; all streams get a
  // token in every step.
  std::vector<double> read_beside(std::size_t prompt_tokens);
  // Ends all streams.
  void stop();

 private:
  RequestId add(std::size_t prompt_tokens);
  double step();

  const LoadedModel& loaded_;
  Options options_;
  Runtime runtime_;
  std::vector<RequestId> streams_;
  std::map<RequestId, double> first_tokens_;  // seconds of clock_ when each came
  double clock_ = 0.0;                        // seconds of all steps
  std::uint32_t next_seed_ = 1;
};

}  // namespace vl2
