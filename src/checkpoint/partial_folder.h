// SPDX-License-Identifier: MIT
// The folder OUT.partial in which vl2 quantize works until OUT is complete.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "checkpoint/packed_folder.h"
#include "checkpoint/shard_writer.h"

namespace vl2 {

// Made, or found and gone on with. Locked, so that two programs do not write the same folder. Every
// member throws Error{io} naming file and reason.
class PartialFolder {
 public:
  // Throws Error{invalid_argument} if the folder was begun with another source, recipe or shard
  // size, or if another program is at work in it.
  PartialFolder(const std::filesystem::path& out, const std::string& id, std::size_t shard_bytes);
  ~PartialFolder();
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  // Throws Error{io} with the numbers when the disk has no room for so many bytes.
  void require_space(std::size_t bytes) const;
  // Adds the index, the files of `in` that are no weights, and config.json last; then the folder
  // gets its name.
  void complete(const std::filesystem::path& in, PackedDescription description,
                std::span<const ShardPlan> shards);

 private:
  void claim(const std::string& stamp);

  std::filesystem::path out_;
  std::filesystem::path path_;
  std::filesystem::path stamp_;
  int lock_ = -1;
};

}  // namespace vl2
