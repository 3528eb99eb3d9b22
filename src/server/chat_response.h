// SPDX-License-Identifier: MIT
// Answers in the words of the OpenAI API.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/answer.h"
#include "server/api_error.h"
#include "server/grounded_answer.h"

namespace vl2 {

// What all parts of one response say.
struct ResponseHead {
  std::string id;
  std::string object;
  std::int64_t created = 0;  // seconds since 1970
  std::string model;
  std::string fingerprint;  // model, weights format and instruction set
};

Json head_json(const ResponseHead& head);
Json usage_json(const Usage& usage);
// Milliseconds and tokens per second.
Json timings_json(const Usage& usage, const Timings& timings);
Json grounding_json(std::span<const GroundedRegion> regions);

// The entries of `logprobs.content` for these tokens.
Json logprobs_json(std::span<const TokenReport> reports, const Tokenizer& tokenizer);
// The older form of /v1/completions. `offset`: characters of the answer before these tokens.
Json completion_logprobs_json(std::span<const TokenReport> reports, std::size_t offset);

std::size_t count_characters(std::string_view text);

// A chunk of a stream: `delta` is what the message grows by.
Json chat_chunk_json(const ResponseHead& head, std::size_t choice, Json delta,
                     const std::optional<FinishReason>& finish_reason);

// The last events of a stream: the usage if that was asked for, and the mark of the end.
std::string last_events(const ResponseHead& head, const std::optional<Usage>& usage);

// JSON text of any of these, with broken UTF-8 replaced.
std::string dump(const Json& json);
// A server-sent event.
std::string event(const Json& json);

}  // namespace vl2
