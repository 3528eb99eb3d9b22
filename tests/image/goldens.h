// SPDX-License-Identifier: MIT
// Access to tests/data/goldens/preprocess.json and its pictures.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "vl2/image.h"

#include "base/sha256.h"
#include "image/tiling.h"

namespace vl2::goldens {

inline std::filesystem::path folder() { return std::filesystem::path(VL2_TEST_DATA) / "goldens"; }

inline const nlohmann::json& preprocess() {
  static const nlohmann::json parsed =
      nlohmann::json::parse(std::ifstream(folder() / "preprocess.json"));
  return parsed;
}

// The keys of one of its objects: the parameters of a test.
inline std::vector<std::string> names_in(const char* section) {
  std::vector<std::string> names;
  for (const auto& item : preprocess().at(section).items()) names.push_back(item.key());
  return names;
}

// A file name as GoogleTest wants its parameters named.
inline std::string test_name(std::string file) {
  std::replace_if(file.begin(), file.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return file;
}

// The candidates of the released models.
inline TilingOptions released_tiling() {
  const auto path = folder() / "checkpoints" / "mha-softmax" / "processor_config.json";
  const auto config = nlohmann::json::parse(std::ifstream(path));
  TilingOptions options;
  for (const auto& [width, height] :
       config.at("candidate_resolutions").get<std::vector<std::array<int, 2>>>())
    options.candidates.push_back({width, height});
  return options;
}

// Size, first pixels and digest of a picture, in the form of the goldens (less the mean).
inline nlohmann::json describe(const Image& image) {
  nlohmann::json first = nlohmann::json::array();
  for (std::size_t i = 0; i < std::min<std::size_t>(16, image.rgb.size() / 3); ++i)
    first.push_back({image.rgb[3 * i], image.rgb[3 * i + 1], image.rgb[3 * i + 2]});
  return {{"size", {image.width, image.height}},
          {"sha256", sha256_hex(image.rgb)},
          {"first_pixels", first}};
}

inline nlohmann::json describe(const Placement& placement) {
  return {{"resized", {placement.width, placement.height}},
          {"offset", {placement.left, placement.top}}};
}

inline nlohmann::json without_mean(nlohmann::json view) {
  view.erase("mean");
  return view;
}

}  // namespace vl2::goldens
