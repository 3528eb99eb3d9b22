// SPDX-License-Identifier: MIT
// Models and conversations that tests of the whole engine share.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "vl2/message.h"

#include "base/mapped_file.h"
#include "engine/model_files.h"

namespace vl2::test {

inline std::filesystem::path nano() { return VL2_MODELS "/vl2-nano"; }

inline std::filesystem::path golden_checkpoint(const std::string& name) {
  return std::filesystem::path(VL2_TEST_DATA "/goldens/checkpoints") / name;
}

inline const char* const kGoldenCheckpoints[] = {"mha-softmax", "mla-softmax", "mla-sigmoid",
                                                 "mla-general"};

inline std::filesystem::path golden_image(const std::string& name) {
  return std::filesystem::path(VL2_TEST_DATA "/goldens/images") / name;
}

// Loaded once a process. A context of 0 is the model's own.
inline const LoadedModel& model(const std::filesystem::path& folder, Recipe recipe,
                                std::size_t context_tokens = 0) {
  using Key = std::tuple<std::string, Recipe, std::size_t>;
  static std::map<Key, std::unique_ptr<LoadedModel>> models;
  std::unique_ptr<LoadedModel>& entry = models[{folder.string(), recipe, context_tokens}];
  if (!entry) {
    LoadOptions options;
    options.recipe = recipe;
    options.context_tokens = context_tokens;
    entry = std::make_unique<LoadedModel>(load_model(folder, options));
  }
  return *entry;
}

// One line of models/vl2-nano's demo.jsonl or eval.jsonl.
struct NanoCase {
  std::string name;  // its line
  std::vector<Message> messages;
  std::vector<std::int32_t> output_ids;
  std::string output;
  double min_margin = 0.0;
};

inline std::vector<NanoCase> nano_cases(const std::string& set) {
  const std::filesystem::path folder = nano() / set;
  std::istringstream lines(read_text_file(folder / (set + ".jsonl")));
  std::vector<NanoCase> cases;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    Message message{Role::user, json.at("prompt"), {}};
    for (const std::string name : json.at("images"))
      message.images.push_back(load_image(folder / name));
    cases.push_back({set + " " + std::to_string(cases.size()),
                     {std::move(message)},
                     json.at("output_ids"),
                     json.at("output"),
                     json.at("min_margin")});
  }
  return cases;
}

}  // namespace vl2::test
