// SPDX-License-Identifier: MIT
// vl2 preprocess: how pictures are cut, and what that costs.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/sha256.h"
#include "checkpoint/model_config.h"
#include "command.h"
#include "engine/prompt_input.h"
#include "image/tiling.h"
#include "model_folder.h"
#include "output.h"
#include "text/conversation_json.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "How the model sees pictures: tiles, tokens, pixels";
constexpr const char* kExamples =
    "  vl2 preprocess -i page.png\n"
    "  vl2 preprocess -i a.jpg -i b.jpg --json\n"
    "\n"
    "Pixels are told by their SHA-256. With three or more pictures tiling is off.";

struct PreprocessOptions {
  std::string model;
  std::vector<fs::path> images;
  fs::path conversation;
  bool json = false;
};

struct Report {
  fs::path path;
  Resolution size;
  PreparedImage prepared;
  std::size_t tokens = 0;
};

Report report_on(const fs::path& path, const ModelConfig& config, const TilingOptions& tiling) {
  const Image image = load_image(path);
  Report report{path, {image.width, image.height}, prepare_image(image, tiling), 0};
  report.tokens = image_token_count(report.prepared.grid, config.tokens_per_side());
  return report;
}

Json report_json(const Report& report) {
  const PreparedImage& prepared = report.prepared;
  return {{"path", report.path.string()},
          {"size", {report.size.width, report.size.height}},
          {"resolution", {prepared.resolution.width, prepared.resolution.height}},
          {"tiles", {prepared.grid.across, prepared.grid.down}},
          {"tile_count", prepared.tile_count()},
          {"tokens", report.tokens},
          {"global_sha256", sha256_hex(prepared.global_view.rgb)},
          {"local_sha256", sha256_hex(prepared.local_view.rgb)}};
}

std::string report_text(const Report& report) {
  const PreparedImage& prepared = report.prepared;
  return fmt::format(
      "{}: {}x{}\n"
      "  resolution {}x{}, tiles {}x{} and the global view, {} tokens\n"
      "  global view {}\n"
      "  local view  {}\n",
      report.path.string(), report.size.width, report.size.height, prepared.resolution.width,
      prepared.resolution.height, prepared.grid.across, prepared.grid.down, report.tokens,
      sha256_hex(prepared.global_view.rgb), sha256_hex(prepared.local_view.rgb));
}

int preprocess(const PreprocessOptions& options) {
  std::vector<fs::path> images = options.images;
  if (!options.conversation.empty()) {
    if (!images.empty()) throw UsageError("-i and --conversation exclude each other");
    images = load_conversation(options.conversation).images;
  } else if (images.empty()) {
    throw UsageError("preprocess needs a picture: -i FILE or --conversation FILE");
  }
  const ModelConfig config = load_model_config(find_model(options.model));
  const TilingOptions tiling = tiling_options(config, images.size());
  Json list = Json::array();
  std::string text;
  std::size_t tokens = 0;
  for (const fs::path& image : images) {
    const Report report = report_on(image, config, tiling);
    tokens += report.tokens;
    if (options.json) {
      list.push_back(report_json(report));
    } else {
      text += report_text(report);
    }
  }
  if (options.json) {
    write_json({{"images", list}, {"tiling", tiling.tiling}, {"tokens", tokens}});
    return kExitFine;
  }
  if (!tiling.tiling) text += fmt::format("tiling is off: there are {} pictures\n", images.size());
  write_output(text);
  return kExitFine;
}

}  // namespace

void add_preprocess_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<PreprocessOptions>();
  CLI::App* command = program.add_subcommand("preprocess", kDescription);
  command->footer(kExamples);
  add_model_option(*command, options->model);
  command->add_option("-i,--image", options->images, "A picture; repeat for more")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--conversation", options->conversation, "The pictures of a conversation file")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "One JSON object");
  command->callback([options, &action] { action = [options] { return preprocess(*options); }; });
}

}  // namespace vl2
