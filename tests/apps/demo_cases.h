// SPDX-License-Identifier: MIT
// The questions that come with the bundled model, and what its reference answered.
#pragma once

#include <string>
#include <vector>

namespace vl2 {

struct DemoCase {
  std::vector<std::string> images;  // paths
  std::string prompt;
  std::string output;
  std::vector<int> output_ids;  // without the end-of-sentence id
  double min_margin = 0;        // least distance between the two best logits on the way

  // bf16 answers may differ from the fp32 reference's where two tokens are nearly equal.
  bool is_safe_in_bf16() const { return min_margin > 0.3; }
  bool is_grounded() const { return output.find("<|det|>") != output.npos; }
};

// demo/demo.jsonl of the bundled model.
std::vector<DemoCase> demo_cases();

// Of one picture, with the question alone as prompt, and an answer that the question does not hold.
std::vector<DemoCase> simple_cases();

// "-i FILE" for each picture, then the prompt.
std::vector<std::string> arguments_of(const DemoCase& demo);

}  // namespace vl2
