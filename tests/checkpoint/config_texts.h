// SPDX-License-Identifier: MIT
// Small sound configurations for tests to change one field of.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "checkpoint/model_config.h"

namespace vl2 {

struct ConfigTexts {
  nlohmann::json config;
  nlohmann::json processor;

  ModelConfig parse() const {
    return parse_model_config(config.dump(), processor.dump(), "some/model");
  }
  nlohmann::json& language() { return config["language_config"]; }
  nlohmann::json& vision() { return config["vision_config"]; }
  nlohmann::json& projector() { return config["projector_config"]; }
};

// The fewest keys that agree with each other; all else is left to the defaults.
inline ConfigTexts minimal_config() {
  return {{{"model_type", "deepseek_vl_v2"},
           {"tile_tag", "2D"},
           {"projector_config", {{"input_dim", 1024}}},
           {"language_config", {{"hidden_size", 2048}}}},
          {{"candidate_resolutions", {{384, 384}}}, {"patch_size", 16}, {"downsample_ratio", 2}}};
}

// The same with routed experts.
inline ConfigTexts moe_config() {
  ConfigTexts texts = minimal_config();
  texts.language()["n_routed_experts"] = 8;
  texts.language()["num_experts_per_tok"] = 2;
  texts.language()["topk_method"] = "greedy";
  return texts;
}

// The same with plain attention.
inline ConfigTexts plain_config() {
  ConfigTexts texts = minimal_config();
  texts.language()["use_mla"] = false;
  return texts;
}

}  // namespace vl2
