// SPDX-License-Identifier: MIT
#include "model/sequence_runner.h"

#include <algorithm>
#include <numeric>

namespace vl2 {
namespace {

constexpr std::size_t kContext = 4096;

}  // namespace

TestModel::TestModel(const std::filesystem::path& folder, Recipe recipe, Isa isa, int threads)
    : config(load_model_config(folder)),
      checkpoint(folder),
      tensors(checkpoint),
      team(threads),
      source(tensors, recipe, team),
      loader(source),
      model(config, loader, kContext),
      kernels(KernelSet::of(isa, operand_of(recipe))) {}

SequenceRunner::SequenceRunner(const TestModel& test, std::size_t context) : test_(test) {
  const std::size_t pages = tiles_of(context, kPageTokens);
  for (std::size_t i = 0; i < test.model.layer_count(); ++i) {
    const std::size_t page_bytes = test.model.page_bytes(i);
    storage_.emplace_back(pages * page_bytes);
    layers_.push_back({storage_.back().data(), page_bytes});
  }
  // Not in order, so that nothing relies on pages being neighbours.
  pages_.resize(pages);
  std::iota(pages_.rbegin(), pages_.rend(), 0U);
}

std::vector<float> SequenceRunner::encode(const Image& image, bool tiling,
                                          const Observer* observer) {
  const ProcessorConfig& processor = test_.config.processor;
  TilingOptions options{.image_size = processor.image_size(), .candidates = {}, .tiling = tiling};
  for (const CandidateResolution& candidate : processor.candidate_resolutions)
    options.candidates.push_back({candidate.width, candidate.height});
  const PreparedImage prepared = prepare_image(image, options);

  arena_.reset();
  Ops op(test_.kernels, test_.team, arena_);
  op.set_observer(observer);
  const std::size_t each = test_.model.pixels_per_tile();
  std::vector<float> pixels(prepared.tile_count() * each);
  for (std::size_t tile = 0; tile < prepared.tile_count(); ++tile) {
    write_tile_pixels(prepared, tile, options.image_size, {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F},
                      std::span(pixels).subspan(tile * each, each));
  }
  const Rows tiles = test_.model.encode_tiles(op, pixels);
  std::vector<float> rows(image_token_count(prepared.grid, test_.config.tokens_per_side()) *
                          tiles.width);
  test_.model.arrange_picture(tiles, prepared.grid, rows);
  return rows;
}

std::vector<std::vector<float>> SequenceRunner::run(std::span<const std::int32_t> tokens,
                                                    std::span<const PictureRows> pictures, bool all,
                                                    const Observer* observer) {
  arena_.reset();
  TokenBatch batch;
  batch.tokens.assign(tokens.begin(), tokens.end());
  batch.positions.resize(tokens.size());
  std::iota(batch.positions.begin(), batch.positions.end(), static_cast<std::uint32_t>(length_));
  batch.spans = {{0, tokens.size(), length_, pages_}};
  batch.pictures.assign(pictures.begin(), pictures.end());
  for (std::size_t i = all ? 0 : tokens.size() - 1; i < tokens.size(); ++i)
    batch.wanted.push_back(static_cast<std::uint32_t>(i));
  Ops op(test_.kernels, test_.team, arena_);
  op.set_observer(observer);
  Step step{batch, op, layers_};
  const Rows logits = test_.model.forward(step);
  length_ += tokens.size();

  std::vector<std::vector<float>> out;
  for (std::size_t i = 0; i < logits.count; ++i)
    out.emplace_back(logits[i].begin(), logits[i].end());
  return out;
}

std::int32_t argmax(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace vl2
