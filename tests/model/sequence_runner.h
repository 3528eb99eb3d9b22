// SPDX-License-Identifier: MIT
// One sequence through a model, with a cache of its own: the smallest engine there can be.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vl2/image.h"

#include "base/aligned.h"
#include "checkpoint/checkpoint.h"
#include "kernels/ops.h"
#include "model/model.h"
#include "model/packing_source.h"
#include "model/tensor_source.h"

namespace vl2 {

// A model loaded from a folder, with the kernels of one instruction set.
struct TestModel {
  TestModel(const std::filesystem::path& folder, Recipe recipe, Isa isa, int threads = 1);

  ModelConfig config;
  Checkpoint checkpoint;
  CheckpointSource tensors;
  ThreadTeam team;
  PackingSource source;
  WeightLoader loader;
  Model model;
  KernelSet kernels;
};

class SequenceRunner {
 public:
  SequenceRunner(const TestModel& test, std::size_t context);

  // Rows of a picture as the prompt has them. `tiling` as in TilingOptions.
  std::vector<float> encode(const Image& image, bool tiling, const Observer* observer = nullptr);

  // Runs the tokens after those before; `pictures` hold the rows of each run of image ids, in
  // order. Returns the logits of every row if `all`, else of the last one.
  std::vector<std::vector<float>> run(std::span<const std::int32_t> tokens,
                                      std::span<const PictureRows> pictures = {}, bool all = false,
                                      const Observer* observer = nullptr);

  // The most at any time so far.
  std::size_t activation_bytes() const noexcept { return arena_.high_water_bytes(); }

 private:
  const TestModel& test_;
  Arena arena_;
  std::vector<AlignedBuffer> storage_;
  std::vector<LayerPages> layers_;
  std::vector<std::uint32_t> pages_;
  std::size_t length_ = 0;
};

std::int32_t argmax(std::span<const float> logits);

}  // namespace vl2
