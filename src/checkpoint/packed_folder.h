// SPDX-License-Identifier: MIT
// Model folders whose matrices are packed as the kernels read them (docs/formats.md, "Packed
// folders").
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/recipe.h"

namespace vl2 {

inline constexpr int kPackedVersion = 2;
// quantization_config.quant_method.
inline constexpr std::string_view kPackedMethod = "vl2";

// A file of the folder as config.json describes it.
struct PackedFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0;  // of a shard: of its header, which has those of its tensors
};

// config.json's quantization_config.
struct PackedDescription {
  Recipe recipe = Recipe::int8;
  std::string id;  // the same in every shard: names source, recipe and version
  std::vector<PackedFile> shards;
  std::vector<PackedFile> files;  // tokenizer, processor, licence
};

// Nothing if the folder holds a released checkpoint. Throws Error{unsupported} for another method
// or version, Error{bad_checkpoint} for a description that is broken.
std::optional<PackedDescription> read_packed_description(const std::filesystem::path& folder);

// An opened folder, mapped. Sizes and headers of all shards are checked, tensors are not touched.
class PackedFolder {
 public:
  // Throws Error{bad_checkpoint} naming the file that is missing, has another size, is damaged or
  // comes from another folder.
  PackedFolder(std::filesystem::path folder, PackedDescription description);

  const PackedDescription& description() const noexcept { return description_; }
  // Its views hold as long as it does.
  const std::shared_ptr<const Checkpoint>& checkpoint() const noexcept { return checkpoint_; }

  // What the shard says of the tensor (packed_text.h), without its checksum. Throws
  // Error{bad_checkpoint}.
  std::string description_of(const TensorView& tensor) const;

  // Reads everything: every byte of every file against its checksum, multipliers and vectors for
  // numbers that are not finite. Throws Error{bad_checkpoint} naming what is damaged. `progress`
  // gets bytes so far and in all, and returns false to stop: Error{cancelled}.
  void verify(const std::function<bool(std::size_t done, std::size_t total)>& progress) const;

 private:
  const std::string& metadata_of(const TensorView& tensor) const;
  void check_sizes() const;
  void check_shards() const;
  void verify_tensor(const TensorView& tensor) const;

  std::filesystem::path folder_;
  PackedDescription description_;
  std::shared_ptr<const Checkpoint> checkpoint_;
};

}  // namespace vl2
