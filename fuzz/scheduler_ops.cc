// SPDX-License-Identifier: MIT
// Requests come, go and are cancelled in any order, with more of them than the cache has room for:
// every one ends exactly once, and every page comes back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

#include "engine/model_files.h"
#include "engine/runtime.h"

namespace {

constexpr int kTile = 8;

vl2::LoadedModel small_model() {
  vl2::ModelConfig config;
  config.vision = {.image_size = kTile, .patch_size = 4, .width = 16, .layers = 1, .heads = 2};
  config.projector = {.input_dim = 16, .n_embed = 16};
  config.processor.candidate_resolutions = {{kTile, kTile}, {2 * kTile, kTile}};
  config.processor.patch_size = 4;
  config.processor.downsample_ratio = 2;
  config.language.vocab_size = 48;
  config.language.hidden_size = 16;
  config.language.intermediate_size = 16;
  config.language.num_hidden_layers = 1;
  config.language.num_attention_heads = 2;
  config.language.attention = vl2::PlainAttentionConfig{2, 8};
  return random_model(config, "small", {.context_tokens = 200, .team = vl2::ThreadTeam(1)});
}

// Texts of few kinds, so that many begin alike; some with a picture of one of four colours.
vl2::Request request_of(std::uint8_t kind, std::uint8_t length) {
  vl2::Request request;
  request.prompt.ids.assign(std::size_t{1} + length % 150, kind % 3);
  request.options.max_tokens = std::size_t{1} + kind % 70;
  if (kind % 4 != 0) return request;
  const vl2::Image image{20, 10,
                         std::vector<std::uint8_t>(600, static_cast<std::uint8_t>(kind / 64))};
  auto picture = std::make_shared<vl2::PictureInput>();
  picture->prepared = prepare_image(
      image, {.image_size = kTile, .candidates = {{kTile, kTile}, {2 * kTile, kTile}}});
  for (std::size_t tile = 0; tile < picture->prepared.tile_count(); ++tile)
    picture->tiles.push_back(hash_tile(picture->prepared, tile, kTile));
  picture->hash = hash_picture(picture->prepared.grid, picture->tiles);
  const std::size_t count = vl2::image_token_count(picture->prepared.grid, 1);
  request.prompt.pictures.push_back({picture, request.prompt.ids.size(), count});
  request.prompt.ids.insert(request.prompt.ids.end(), count, 5);
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vl2::LoadedModel model = small_model();
  vl2::RuntimeOptions options;
  options.team = vl2::ThreadTeam(1);
  options.cache_tokens = 224;
  options.limits = {40, 20};
  options.max_sequences = 4;
  options.picture_cache_bytes = 200;
  vl2::Runtime runtime(model.model, std::nullopt, options);

  std::map<vl2::RequestId, int> ends;
  const auto step = [&] {
    for (const vl2::Event& event : runtime.step()) {
      if (std::holds_alternative<vl2::RequestFailed>(event.what)) std::abort();
      ends[event.request] += std::holds_alternative<vl2::RequestFinished>(event.what) ? 1 : 0;
    }
  };
  for (std::size_t i = 0; i + 2 < size && i < 300; i += 3) {
    if (data[i] % 4 == 0) ends[runtime.add(request_of(data[i + 1], data[i + 2]))] = 0;
    if (data[i] % 4 == 1) runtime.cancel(data[i + 1]);
    if (data[i] % 4 >= 2) step();
  }
  while (!runtime.idle()) step();
  for (const auto& [request, count] : ends)
    if (count != 1) std::abort();
  if (runtime.available_pages() != runtime.page_count()) std::abort();
  return 0;
}
