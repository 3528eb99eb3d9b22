// SPDX-License-Identifier: MIT
// From a released checkpoint to a packed folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "base/parallel.h"
#include "checkpoint/recipe.h"

namespace vl2 {

struct QuantizeOptions {
  Recipe recipe = Recipe::int4;
  ThreadTeam team = ThreadTeam();
  // Shards are as large, unless a single matrix is larger.
  std::size_t shard_bytes = std::size_t{1} << 30;
  // Bytes of OUT that are written, those of an earlier run included, and in all. Return false to
  // stop: Error{cancelled}.
  std::function<bool(std::size_t done, std::size_t total)> progress = {};
};

struct QuantizeReport {
  std::size_t bytes = 0;  // of all tensors
  std::size_t shards = 0;
  std::size_t shards_before = 0;  // finished by an earlier run
};

// Reads matrix by matrix and holds some dozen megabytes. OUT appears when everything is in it;
// until then there is OUT.partial, which does not load. After an interruption, a crash or a full
// disk the same call goes on with the shard that was begun. The same source, recipe and shard size
// give the same bytes. Throws Error{invalid_argument} when OUT exists, IN is packed already, or
// OUT.partial was begun with something else; Error{io} when the disk is full or cannot be written;
// and as load_model() for a checkpoint that is broken.
QuantizeReport quantize_model(const std::filesystem::path& in, const std::filesystem::path& out,
                              const QuantizeOptions& options);

}  // namespace vl2
