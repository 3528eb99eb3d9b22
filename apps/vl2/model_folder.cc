// SPDX-License-Identifier: MIT
#include "model_folder.h"

#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "checkpoint/recipe.h"
#include "engine/model_files.h"
#include "output.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBundledPlaces[] = {"../models/vl2-nano", "../share/vl2/models/vl2-nano"};

void require_model_folder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) {
    throw Error(ErrorCode::not_found,
                fmt::format("{}: there is no such model folder", folder.string()));
  }
  if (!fs::is_directory(folder, ignored)) {
    throw Error(ErrorCode::not_found,
                fmt::format("{} is not a folder; -m takes the folder of a model, as downloaded",
                            folder.string()));
  }
  if (!fs::exists(folder / "config.json", ignored)) {
    throw Error(ErrorCode::not_found,
                fmt::format("{} is not a model folder: it has no config.json", folder.string()));
  }
}

fs::path bundled_model() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (const char* place : kBundledPlaces) {
    const fs::path folder = (program.parent_path() / place).lexically_normal();
    if (fs::exists(folder / "config.json", error)) return folder;
  }
  throw Error(ErrorCode::not_found,
              "the bundled model is not next to the program; give a model folder with -m");
}

}  // namespace

void add_model_option(CLI::App& command, std::string& given) {
  command
      .add_option("-m,--model", given,
                  "Folder of a model, as downloaded (default: $VL2_MODEL, else vl2-nano, which "
                  "comes with the program)")
      ->type_name("FOLDER");
}

void describe_weights_option(CLI::Option& option) {
  std::vector<std::string> names(recipe_names().begin(), recipe_names().end());
  names.emplace_back(kWeightsOfFolder);
  option
      .description(
          "Weights in memory: f32, bf16, int8, int4, int4-max, or auto: as the folder has "
          "them, released ones in bf16")
      ->check(CLI::IsMember(names))
      ->capture_default_str()
      ->type_name("FORMAT");
}

void describe_vision_option(CLI::Option& option) {
  option
      .description(
          "Activations of the vision tower: bf16, or int8, which is faster and rounds more")
      ->check(CLI::IsMember({"bf16", "int8"}))
      ->capture_default_str()
      ->type_name("FORMAT");
}

fs::path find_model(const std::string& given) {
  fs::path folder = given;
  if (given.empty()) {
    const char* from_environment = std::getenv("VL2_MODEL");
    if (from_environment != nullptr && *from_environment != '\0') {
      folder = from_environment;
      write_note(fmt::format("using the model of VL2_MODEL, {}", folder.string()));
    } else {
      folder = bundled_model();
      write_note(
          fmt::format("no -m given, using the bundled demonstration model {}", folder.string()));
    }
  }
  require_model_folder(folder);
  return folder;
}

}  // namespace vl2
