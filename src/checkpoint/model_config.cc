// SPDX-License-Identifier: MIT
#include "checkpoint/model_config.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/mapped_file.h"
#include "checkpoint/config_limits.h"
#include "checkpoint/config_reader.h"
#include "checkpoint/language_config.h"
#include "checkpoint/packed_folder.h"

namespace vl2 {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;
constexpr NumberRange kMlpRatioRange = {1e-3, 1024};
constexpr const char* kConfigFile = "config.json";
constexpr const char* kProcessorFile = "processor_config.json";

int ceil_divide(int value, int unit) { return (value + unit - 1) / unit; }

std::vector<CandidateResolution> read_candidates(const ConfigReader& reader) {
  std::vector<CandidateResolution> candidates;
  for (const auto& [width, height] :
       reader.pairs("candidate_resolutions", kCandidateRange, kMostCandidates))
    candidates.push_back({width, height});
  return candidates;
}

void check_model_type(const ConfigReader& reader, const std::string& expected) {
  if (reader.text("model_type", expected) != expected)
    reader.unsupported("model_type", "supported: " + expected);
}

VisionConfig read_vision(const ConfigReader& reader) {
  check_model_type(reader, "vision");
  VisionConfig vision;
  vision.image_size = reader.integer("image_size", kPixelRange, 384);
  vision.patch_size = reader.integer("patch_size", kPixelRange, 16);
  vision.width = reader.integer("width", kWidthRange, 1024);
  vision.layers = reader.integer("layers", kLayerRange, 24);
  vision.heads = reader.integer("heads", kHeadRange, 16);
  vision.mlp_ratio = reader.number("mlp_ratio", kMlpRatioRange, 4);
  // "avg" would leave out the final norm, "token" needs a class token.
  vision.has_attention_pool =
      reader.choice<bool>("global_pool", "map", {{"map", true}, {"", false}});
  if (reader.boolean("class_token", false)) reader.unsupported("class_token", "supported: false");
  if (!reader.boolean("ignore_head", true)) reader.unsupported("ignore_head", "supported: true");

  if (vision.width % vision.heads != 0)
    reader.contradicts("heads", fmt::format("it must divide width, which is {}", vision.width));
  if (vision.patches_per_side() < 1 || vision.patches_per_side() > kMostPatchesPerSide)
    reader.contradicts("patch_size",
                       fmt::format("image_size {} must hold 1 to {} patches along a side",
                                   vision.image_size, kMostPatchesPerSide));
  const double hidden = vision.width * vision.mlp_ratio;
  if (hidden < 1 || hidden > kMlpWidthRange.most)
    reader.contradicts("mlp_ratio",
                       fmt::format("width * mlp_ratio must be from 1 to {}", kMlpWidthRange.most));
  return vision;
}

ProjectorConfig read_projector(const ConfigReader& reader) {
  check_model_type(reader, "mlp_projector");
  ProjectorConfig projector;
  projector.projector_type =
      reader.choice<ProjectorType>("projector_type", "downsample_mlp_gelu",
                                   {{"identity", ProjectorType::identity},
                                    {"linear", ProjectorType::linear},
                                    {"mlp_gelu", ProjectorType::mlp_gelu},
                                    {"downsample_mlp_gelu", ProjectorType::downsample_mlp_gelu}});
  projector.input_dim = reader.integer("input_dim", kWidthRange, 1152);
  projector.n_embed = reader.integer("n_embed", kWidthRange, 2048);
  projector.depth = reader.integer("depth", kProjectorDepthRange, 2);
  projector.mlp_ratio = reader.integer("mlp_ratio", {1, 64}, 1);
  projector.downsample_ratio = reader.integer("downsample_ratio", kDownsampleRange, 2);
  projector.token_pooling = reader.boolean("token_pooling", false);
  if (projector.token_pooling && projector.projector_type == ProjectorType::downsample_mlp_gelu)
    reader.unsupported("token_pooling",
                       "projector_type downsample_mlp_gelu has its own downsampling instead");
  if (projector.projector_type == ProjectorType::identity &&
      projector.n_embed != projector.input_dim)
    reader.contradicts("n_embed", fmt::format("projector_type identity leaves the width {} of "
                                              "input_dim as it is",
                                              projector.input_dim));
  return projector;
}

std::array<double, 3> read_channels(const ConfigReader& reader, const std::string& key,
                                    NumberRange range) {
  const auto numbers = reader.numbers(key, 3, range, {0.5, 0.5, 0.5});
  return {numbers[0], numbers[1], numbers[2]};
}

ProcessorConfig read_processor(const ConfigReader& reader) {
  ProcessorConfig processor;
  processor.candidate_resolutions = read_candidates(reader);
  processor.patch_size = reader.integer("patch_size", kPixelRange);
  processor.downsample_ratio = reader.integer("downsample_ratio", kDownsampleRange);
  processor.image_mean = read_channels(reader, "image_mean", {0, 1});
  processor.image_std = read_channels(reader, "image_std", {1e-6, 1e6});
  processor.normalize = reader.boolean("normalize", true);
  processor.image_token = reader.text("image_token", processor.image_token);
  processor.pad_token = reader.text("pad_token", processor.pad_token);
  for (const auto& [key, token] : {std::pair("image_token", processor.image_token),
                                   std::pair("pad_token", processor.pad_token)})
    if (token.empty()) reader.contradicts(key, "a token needs a text");
  if (reader.text("sft_format", "deepseek") != "deepseek")
    reader.unsupported("sft_format", "supported: deepseek");

  const int size = processor.image_size();
  for (const auto& [width, height] : processor.candidate_resolutions)
    if (width % size != 0 || height % size != 0 || (width / size) * (height / size) > kMostTiles)
      reader.contradicts(
          "candidate_resolutions",
          fmt::format("{} x {} is not a grid of at most {} tiles of the first width, "
                      "{}",
                      width, height, kMostTiles, size));
  return processor;
}

// What the parts must agree on so that features, prompt tokens and embeddings fit together.
void check_agreement(const ModelConfig& model, const ConfigReader& config,
                     const ConfigReader& processor) {
  const ConfigReader projector = config.object("projector_config");
  if (model.projector.input_dim != model.vision.width)
    projector.contradicts("input_dim", fmt::format("the vision encoder's width is {}, not {}",
                                                   model.vision.width, model.projector.input_dim));
  if (model.projector.n_embed != model.language.hidden_size)
    projector.contradicts("n_embed",
                          fmt::format("the language model's hidden_size is {}, not {}",
                                      model.language.hidden_size, model.projector.n_embed));
  if (model.processor.image_size() != model.vision.image_size)
    processor.contradicts("candidate_resolutions",
                          fmt::format("the first width must be the vision encoder's image_size, {}",
                                      model.vision.image_size));
  if (model.processor.patch_size != model.vision.patch_size)
    processor.contradicts("patch_size", fmt::format("the vision encoder's patch_size is {}",
                                                    model.vision.patch_size));
  if (model.processor.tokens_per_side() != model.tokens_per_side())
    processor.contradicts("downsample_ratio",
                          fmt::format("it gives {0} x {0} tokens a tile, but the projector {1} x "
                                      "{1}",
                                      model.processor.tokens_per_side(), model.tokens_per_side()));
}

}  // namespace

int ProjectorConfig::linear_count() const noexcept {
  switch (projector_type) {
    case ProjectorType::identity:
      return 0;
    case ProjectorType::linear:
      return 1;
    case ProjectorType::mlp_gelu:
      return depth;
    case ProjectorType::downsample_mlp_gelu:
      return std::max(2, depth);
  }
  return 0;
}

int ProjectorConfig::first_input_width() const noexcept {
  return projector_type == ProjectorType::downsample_mlp_gelu
             ? input_dim * downsample_ratio * downsample_ratio
             : input_dim;
}

int ProjectorConfig::hidden_width() const noexcept {
  return projector_type == ProjectorType::downsample_mlp_gelu ? n_embed * mlp_ratio : n_embed;
}

int ProjectorConfig::tokens_per_side(int patches_per_side) const noexcept {
  if (token_pooling) return patches_per_side / 2;
  if (projector_type == ProjectorType::downsample_mlp_gelu)
    return ceil_divide(patches_per_side, downsample_ratio);
  return patches_per_side;
}

int ProcessorConfig::tokens_per_side() const noexcept {
  return ceil_divide(image_size() / patch_size, downsample_ratio);
}

ModelConfig load_model_config(const std::filesystem::path& folder) {
  const std::string config = read_text_file(folder / kConfigFile, kMaxConfigBytes);
  const std::string processor = read_text_file(folder / kProcessorFile, kMaxConfigBytes);
  return parse_model_config(config, processor, folder);
}

ModelConfig parse_model_config(std::string_view config_json, std::string_view processor_json,
                               const std::filesystem::path& folder) {
  const auto config = ConfigReader::parse(config_json, (folder / kConfigFile).string());
  if (!config.has("model_type") || config.text("model_type") != "deepseek_vl_v2")
    config.unsupported("model_type", "supported: deepseek_vl_v2 (DeepSeek-VL2)");
  const std::string quantization = "quantization_config";  // packed_folder.h reads ours
  if (!config.is_null_or_absent(quantization) &&
      config.object(quantization).text("quant_method", "") != kPackedMethod)
    config.unsupported(
        quantization,
        "supported are checkpoints in F32, BF16 or F16, and folders that vl2 quantize made");
  // The original's default is an invalid text on purpose.
  if (config.text("tile_tag", "tile_tag") != "2D") config.unsupported("tile_tag", "supported: 2D");

  ModelConfig model;
  model.global_view_pos = config.choice<GlobalViewPosition>(
      "global_view_pos", "head",
      {{"head", GlobalViewPosition::head}, {"tail", GlobalViewPosition::tail}});
  if (config.has("candidate_resolutions")) model.candidate_resolutions = read_candidates(config);
  model.vision = read_vision(config.object("vision_config"));
  model.projector = read_projector(config.object("projector_config"));
  model.language = read_language_config(config.object("language_config"));
  const auto processor = ConfigReader::parse(processor_json, (folder / kProcessorFile).string());
  model.processor = read_processor(processor);
  check_agreement(model, config, processor);
  return model;
}

}  // namespace vl2
