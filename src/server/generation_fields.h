// SPDX-License-Identifier: MIT
// What every route that writes text takes: how to choose tokens, when to stop, what to tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "vl2/engine.h"

#include "server/request_field.h"

namespace vl2 {

struct GenerationFields {
  GenerationOptions options;          // max_tokens: as many as fit, unless it was given
  std::optional<std::uint64_t> seed;  // nothing: the server draws one
  std::size_t choices = 1;            // n
  std::vector<std::pair<std::int32_t, float>> logit_bias;
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;
  bool report_logprobs = false;  // options.logprobs says how many besides the chosen one
  bool constrain_boxes = true;   // well-formed boxes inside <|det|>; ours
  std::optional<int> max_tiles;  // local tiles of a picture, at most; ours
  bool stream = false;
  bool include_usage = false;  // a last chunk with the usage
};

// `defaults` are the server's. Throws ApiError 400 naming the field.
GenerationFields parse_generation_fields(const RequestField& body,
                                         const GenerationOptions& defaults);

// The members that choose tokens: temperature, top_k and so on.
void parse_sampling(const RequestField& body, GenerationOptions& options);

// Stop strings from a string or a list.
std::vector<std::string> parse_stop(const RequestField& stop);

}  // namespace vl2
