// SPDX-License-Identifier: MIT
// Expected values from the original, see tests/data/goldens/README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "text/tokenizer.h"

namespace vl2::testing {

inline std::filesystem::path goldens() { return std::filesystem::path(VL2_TEST_DATA) / "goldens"; }

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

inline const std::vector<std::string>& checkpoints() {
  static const std::vector<std::string> names = {"mha-softmax", "mla-softmax", "mla-sigmoid",
                                                 "mla-general"};
  return names;
}

inline Tokenizer checkpoint_tokenizer(const std::string& checkpoint) {
  return Tokenizer::load(goldens() / "checkpoints" / checkpoint);
}

inline std::vector<std::int32_t> ids_of(const nlohmann::json& json) {
  return json.get<std::vector<std::int32_t>>();
}

}  // namespace vl2::testing
