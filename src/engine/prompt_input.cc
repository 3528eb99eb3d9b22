// SPDX-License-Identifier: MIT
#include "engine/prompt_input.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace vl2 {
namespace {

// The conversation's pictures in order.
std::vector<const Image*> pictures_of(std::span<const Message> messages) {
  std::vector<const Image*> pictures;
  for (const Message& message : messages)
    for (const Image& image : message.images) pictures.push_back(&image);
  return pictures;
}

// The turns for the template. Pictures are counted, not copied: their order does not change,
// because only system texts move.
std::vector<Turn> arrange_turns(std::span<const Message> messages, PictureTags tags) {
  std::vector<Message> texts;
  for (const Message& message : messages)
    texts.push_back({message.role, message.content, std::vector<Image>(message.images.size())});
  if (tags == PictureTags::place_missing) return turns_of(arrange_messages(std::move(texts)));
  if (texts.empty() || texts.back().role != Role::assistant)
    texts.push_back({Role::assistant, {}, {}});
  return turns_of(texts);
}

struct Layout {
  Prompt prompt;
  std::vector<const Image*> pictures;
  std::vector<std::size_t> picture_tokens;
  TilingOptions tiling;
};

Layout lay_out(const LoadedModel& model, std::span<const Message> messages, PictureTags tags,
               const PromptLimits& limits) {
  const ModelConfig& config = model.config();
  if (messages.empty())
    throw Error(ErrorCode::invalid_argument, "the conversation is empty; it needs a message");
  Layout layout;
  layout.pictures = pictures_of(messages);
  layout.tiling = tiling_options(config, layout.pictures.size(), limits);
  const Resolution tile{layout.tiling.image_size, layout.tiling.image_size};
  for (const Image* picture : layout.pictures) {
    const Resolution own{picture->width, picture->height};
    const Resolution local =
        layout.tiling.tiling ? best_resolution(own, layout.tiling.candidates) : tile;
    place_in(own, tile, picture->name);  // throws for pictures too thin
    const TileGrid grid{local.width / tile.width, local.height / tile.height};
    layout.picture_tokens.push_back(image_token_count(grid, config.tokens_per_side()));
  }
  layout.prompt =
      build_prompt(*model.tokenizer, arrange_turns(messages, tags), layout.picture_tokens);
  return layout;
}

PromptCost cost_of(const Layout& layout, std::size_t context_tokens) {
  PromptCost cost;
  cost.context_tokens = context_tokens;
  cost.text_tokens = layout.prompt.ids.size();
  cost.image_tokens.assign(layout.pictures.size(), 0);  // pictures without a place cost nothing
  for (const PictureSpan& span : layout.prompt.pictures) {
    cost.image_tokens[span.picture] = span.count;
    cost.text_tokens -= span.count;
  }
  return cost;
}

std::shared_ptr<const PictureInput> prepare_picture(const Image& image,
                                                    const TilingOptions& options) {
  auto picture = std::make_shared<PictureInput>();
  picture->prepared = prepare_image(image, options);
  for (std::size_t tile = 0; tile < picture->prepared.tile_count(); ++tile)
    picture->tiles.push_back(hash_tile(picture->prepared, tile, options.image_size));
  picture->hash = hash_picture(picture->prepared.grid, picture->tiles);
  return picture;
}

}  // namespace

std::size_t PromptInput::image_tokens() const noexcept {
  std::size_t sum = 0;
  for (const PlacedPicture& picture : pictures) sum += picture.count;
  return sum;
}

TilingOptions tiling_options(const ModelConfig& config, std::size_t pictures_in_call,
                             const PromptLimits& limits) {
  TilingOptions options;
  options.image_size = config.processor.image_size();
  for (const CandidateResolution& candidate : config.processor.candidate_resolutions)
    options.candidates.push_back({candidate.width, candidate.height});
  if (limits.max_tiles > 0) {
    const auto tiles = [&](const Resolution& resolution) {
      return static_cast<std::size_t>(resolution.width / options.image_size) *
             static_cast<std::size_t>(resolution.height / options.image_size);
    };
    std::erase_if(options.candidates, [&](const Resolution& resolution) {
      return tiles(resolution) > limits.max_tiles;
    });
    if (options.candidates.empty())
      options.candidates.push_back({options.image_size, options.image_size});
  }
  options.tiling = tiling_is_on(pictures_in_call);
  for (std::size_t i = 0; i < options.fill.size(); ++i)
    options.fill[i] =
        static_cast<std::uint8_t>(std::clamp(config.processor.image_mean[i] * 255.0, 0.0, 255.0));
  return options;
}

PromptInput prepare_prompt(const LoadedModel& model, std::span<const Message> messages,
                           PictureTags tags, const PromptLimits& limits) {
  Layout layout = lay_out(model, messages, tags, limits);
  check_length(cost_of(layout, model.model.context()));
  PromptInput input{std::move(layout.prompt.ids), {}};
  for (const PictureSpan& span : layout.prompt.pictures) {
    input.pictures.push_back(
        {prepare_picture(*layout.pictures[span.picture], layout.tiling), span.first, span.count});
  }
  return input;
}

PromptCost prompt_cost(const LoadedModel& model, std::span<const Message> messages,
                       PictureTags tags, const PromptLimits& limits) {
  return cost_of(lay_out(model, messages, tags, limits), model.model.context());
}

PromptCost cost_of(const PromptInput& input, std::size_t context_tokens) {
  PromptCost cost;
  for (const PlacedPicture& picture : input.pictures) cost.image_tokens.push_back(picture.count);
  cost.text_tokens = input.ids.size() - input.image_tokens();
  cost.context_tokens = context_tokens;
  return cost;
}

std::size_t PromptCost::total() const noexcept {
  return std::accumulate(image_tokens.begin(), image_tokens.end(), text_tokens);
}

void check_length(const PromptCost& cost) {
  const std::size_t total = cost.total();
  if (total < cost.context_tokens) return;
  const std::size_t images = total - cost.text_tokens;
  std::string pictures;
  for (const std::size_t tokens : cost.image_tokens)
    pictures += fmt::format("{}{}", pictures.empty() ? "" : " + ", tokens);
  const std::string parts =
      images == 0 ? std::string()
                  : fmt::format(" ({} of text, {} of pictures)", cost.text_tokens, pictures);
  const std::string advice =
      images + 1 >= cost.context_tokens
          ? "the pictures alone do not fit: use fewer or smaller ones"
          : fmt::format("shorten the text to {} tokens", cost.context_tokens - 1 - images);
  throw Error(ErrorCode::too_long,
              fmt::format("the prompt takes {} tokens{} and the context holds {}, one of them for "
                          "the answer; {}, or ask for a context of at least {}",
                          total, parts, cost.context_tokens, advice, total + 1));
}

}  // namespace vl2
