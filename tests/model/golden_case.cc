// SPDX-License-Identifier: MIT
#include "model/golden_case.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "base/mapped_file.h"
#include "checkpoint/tensor_values.h"

namespace vl2 {
namespace {

nlohmann::json read_json(const std::string& relative) {
  return nlohmann::json::parse(read_text_file(golden_path(relative)));
}

std::vector<std::uint8_t> expand_runs(const nlohmann::json& runs) {
  std::vector<std::uint8_t> mask;
  std::uint8_t value = 0;
  for (const std::size_t run : runs) {
    mask.insert(mask.end(), run, value);
    value = 1 - value;
  }
  return mask;
}

}  // namespace

std::string golden_path(const std::string& relative) {
  return std::string(VL2_TEST_DATA) + "/goldens/" + relative;
}

std::vector<std::string> golden_conversations(const std::string& checkpoint) {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(golden_path("models/" + checkpoint))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<float> GoldenCase::tensor(const std::string& tensor_name) const {
  const TensorView* view = tensors.find(tensor_name);
  if (view == nullptr) return {};
  std::vector<float> values(view->count());
  read_floats(*view, values);
  return values;
}

GoldenCase load_golden_case(const std::string& checkpoint, const std::string& conversation) {
  const std::string stem = "models/" + checkpoint + "/" + conversation;
  GoldenCase golden{.checkpoint = checkpoint,
                    .conversation = conversation,
                    .input_ids = {},
                    .image_mask = {},
                    .images = {},
                    .moe = {},
                    .greedy_ids = {},
                    .greedy_logits = {},
                    .greedy_margins = {},
                    .tensors = SafetensorsFile(golden_path(stem + ".safetensors"))};
  const nlohmann::json prompt = read_json("conversations/" + conversation + ".json");
  const nlohmann::json& ids = prompt.at("per_checkpoint").at(checkpoint);
  golden.input_ids = ids.at("input_ids").get<std::vector<std::int32_t>>();
  golden.image_mask = expand_runs(ids.at("images_seq_mask_runs"));
  for (const auto& message : prompt.at("conversation")) {
    for (const std::string name : message.value("images", nlohmann::json::array()))
      golden.images.push_back(load_image(golden_path("images/" + name)));
  }
  golden.tiling = golden.images.size() <= 2;

  const nlohmann::json run = read_json(stem + ".json");
  golden.greedy_ids = run.at("greedy_ids").get<std::vector<std::int32_t>>();
  golden.greedy_logits = run.at("greedy_logits").get<std::vector<double>>();
  golden.greedy_margins = run.at("greedy_margins").get<std::vector<double>>();
  for (const auto& [layer, moe] : run.at("moe").items()) {
    golden.moe[std::stoi(layer)] = {moe.at("expert_ids").get<std::vector<std::int32_t>>(),
                                    moe.at("weights").get<std::vector<double>>()};
  }
  return golden;
}

}  // namespace vl2
