// SPDX-License-Identifier: MIT
// A recorded run of the original code: a conversation through one of the golden checkpoints.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vl2/image.h"

#include "checkpoint/safetensors.h"

namespace vl2 {

struct GoldenMoe {
  std::vector<std::int32_t> expert_ids;  // of the last position, sorted
  std::vector<double> weights;           // in the order of expert_ids
};

struct GoldenCase {
  std::string checkpoint;
  std::string conversation;
  std::vector<std::int32_t> input_ids;
  std::vector<std::uint8_t> image_mask;  // per input id
  std::vector<Image> images;
  bool tiling = true;
  std::map<int, GoldenMoe> moe;  // per layer
  std::vector<std::int32_t> greedy_ids;
  std::vector<double> greedy_logits;
  std::vector<double> greedy_margins;
  SafetensorsFile tensors;

  std::string name() const { return checkpoint + "/" + conversation; }
  // A recorded tensor as floats; empty if it was not recorded.
  std::vector<float> tensor(const std::string& tensor_name) const;
};

std::string golden_path(const std::string& relative);
// Conversations recorded for a checkpoint, sorted.
std::vector<std::string> golden_conversations(const std::string& checkpoint);
GoldenCase load_golden_case(const std::string& checkpoint, const std::string& conversation);

}  // namespace vl2
