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
  // `loaded` is borrowed; the cache has room for so many positions of each of so many sequences.
  BenchModel(const LoadedModel& loaded, const ThreadTeam& team, std::size_t context,
             std::size_t sequences);

  // Picture tiles at once through vision tower and projector.
  double encode_tiles(std::size_t count);
  // Tokens at positions 0 .. count - 1 of a sequence in one step, with the logits of the last one.
  double read_prompt(std::size_t count, std::size_t sequence = 0);
  // Tokens at positions first .. first + count - 1 of sequences 0 .. sequences - 1, a step each,
  // with their logits. The positions before must have been read.
  double generate(std::size_t first, std::size_t count, std::size_t sequences = 1);

 private:
  struct Positions {
    std::size_t first, count;
  };
  void compute(Positions positions, Share sequences);

  const Model& model_;
  Arena arena_;
  Ops ops_;
  std::vector<AlignedBuffer> storage_;  // [layer]
  std::vector<LayerPages> layers_;
  std::size_t context_;
  std::vector<std::uint32_t> pages_;  // [sequence][page]
  std::vector<std::int32_t> tokens_;  // [sequence][position]
};

}  // namespace vl2
