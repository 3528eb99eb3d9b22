// SPDX-License-Identifier: MIT
// What goes into the runtime, and what comes out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "vl2/engine.h"

#include "engine/prompt_input.h"
#include "engine/steering.h"

namespace vl2 {

// Never used twice by one runtime.
using RequestId = std::uint64_t;

struct Request {
  PromptInput prompt;
  GenerationOptions options;
  Steering steering = {};
};

// Tiles of this request's pictures that are through the vision tower. Not told when the cache
// spares the pictures.
struct PictureProgress {
  std::size_t done = 0;
  std::size_t total = 0;
};

// Tokens of the prompt.
struct PromptProgress {
  std::size_t done = 0;
  std::size_t total = 0;
};

struct TokenChosen {
  std::int32_t token = 0;
  std::string text;                   // what is certain now, whole characters; often empty
  std::optional<TokenReport> report;  // if log-probabilities were asked for
};

struct RequestFinished {
  FinishReason reason = FinishReason::stop;
  std::string text;  // what was still held back
  Usage usage;
  Timings timings;
};

struct RequestFailed {
  Error error;
};

// Every request ends with exactly one RequestFinished or RequestFailed.
struct Event {
  RequestId request = 0;
  std::variant<PictureProgress, PromptProgress, TokenChosen, RequestFinished, RequestFailed> what;
};

}  // namespace vl2
