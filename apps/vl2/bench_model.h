// SPDX-License-Identifier: MIT
// A model at work on one sequence, timed part by part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/aligned.h"
#include "base/parallel.h"
#include "engine/model_files.h"
#include "kernels/ops.h"
#include "model/model.h"
#include "tensor/arena.h"

namespace vl2 {

// Inputs are random but the same in every run: pixels, and tokens, so that experts take turns as
// they do in text. Every function returns seconds.
class BenchModel {
 public:
  // `loaded` is borrowed; `context` is the number of positions the cache has room for.
  BenchModel(const LoadedModel& loaded, const ThreadTeam& team, std::size_t context);

  // Picture tiles through vision tower and projector, as many at once as the engine takes.
  double encode_tiles(std::size_t count);
  // Tokens at positions 0 .. count - 1 in one step, with the logits of the last one.
  double read_prompt(std::size_t count);
  // Tokens at positions first .. first + count - 1, a step each, with their logits. The positions
  // before must have been read.
  double generate(std::size_t first, std::size_t count);

 private:
  void compute(std::size_t first, std::size_t count);

  const Model& model_;
  Arena arena_;
  Ops ops_;
  std::vector<AlignedBuffer> storage_;  // [layer]
  std::vector<LayerPages> layers_;
  std::vector<std::uint32_t> pages_;
  std::vector<std::int32_t> tokens_;  // [position]
};

}  // namespace vl2
