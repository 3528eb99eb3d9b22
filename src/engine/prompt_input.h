// SPDX-License-Identifier: MIT
// From messages to what the runtime computes: token ids, and pictures cut into tiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vl2/engine.h"

#include "checkpoint/model_config.h"
#include "engine/content_hash.h"
#include "engine/model_files.h"
#include "image/tiling.h"
#include "text/chat_template.h"

namespace vl2 {

// A picture as the vision tower takes it, with its names.
struct PictureInput {
  PreparedImage prepared;
  std::vector<ContentHash> tiles;  // [tile]
  ContentHash hash;
};

// Where a picture stands in the prompt. In order and without overlap.
struct PlacedPicture {
  std::shared_ptr<const PictureInput> picture;
  std::size_t first = 0;  // its first token
  std::size_t count = 0;  // tokens
};

struct PromptInput {
  std::vector<std::int32_t> ids;  // pictures' tokens hold the image id
  std::vector<PlacedPicture> pictures;

  std::size_t image_tokens() const noexcept;
};

// How a picture may be cut; without `max_tiles` as the model was made for. The global view is not
// counted, and one local tile always may be.
struct PromptLimits {
  std::size_t max_tiles = 0;  // local tiles of a picture; 0: any number
};

TilingOptions tiling_options(const ModelConfig& config, std::size_t pictures_in_call,
                             const PromptLimits& limits = {});

// Tokenizes the conversation and prepares its pictures. Any number of threads may do so at once.
// Throws Error{invalid_argument} for conversations the template cannot express, Error{bad_image}
// for pictures too thin, and Error{too_long} before any picture is resized.
PromptInput prepare_prompt(const LoadedModel& model, std::span<const Message> messages,
                           PictureTags tags, const PromptLimits& limits = {});

// The sizes alone, without touching pixels. Throws as prepare_prompt(), but for too_long.
PromptCost prompt_cost(const LoadedModel& model, std::span<const Message> messages,
                       PictureTags tags, const PromptLimits& limits = {});

// Throws Error{too_long} with the numbers when the prompt leaves no room for one token of answer.
void check_length(const PromptCost& cost);

// The sizes of a prompt that is there already.
PromptCost cost_of(const PromptInput& input, std::size_t context_tokens);

}  // namespace vl2
