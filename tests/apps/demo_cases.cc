// SPDX-License-Identifier: MIT
#include "apps/demo_cases.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "apps/program.h"

namespace vl2 {

std::vector<DemoCase> demo_cases() {
  std::vector<DemoCase> cases;
  std::ifstream file(kNano / "demo" / "demo.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    DemoCase demo{{}, json["prompt"], json["output"], json["output_ids"], json["min_margin"]};
    for (const std::string image : json["images"]) demo.images.push_back(kNano / "demo" / image);
    cases.push_back(demo);
  }
  return cases;
}

std::vector<DemoCase> simple_cases() {
  const std::string tag = "<image>\n";
  std::vector<DemoCase> simple;
  for (DemoCase demo : demo_cases()) {
    if (demo.images.size() != 1 || !demo.prompt.starts_with(tag)) continue;
    demo.prompt = demo.prompt.substr(tag.size());
    const bool is_plain = demo.prompt.find('\n') == demo.prompt.npos &&
                          demo.output.find('\n') == demo.output.npos && !demo.is_grounded();
    if (is_plain && demo.is_safe_in_bf16()) simple.push_back(demo);
  }
  return simple;
}

std::vector<std::string> arguments_of(const DemoCase& demo) {
  std::vector<std::string> arguments;
  for (const std::string& image : demo.images) {
    arguments.push_back("-i");
    arguments.push_back(image);
  }
  arguments.push_back(demo.prompt);
  return arguments;
}

}  // namespace vl2
