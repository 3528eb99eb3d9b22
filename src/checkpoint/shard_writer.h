// SPDX-License-Identifier: MIT
// Writes the shards of a packed folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/packed_folder.h"
#include "checkpoint/safetensors.h"

namespace vl2 {

struct ShardTensor {
  std::string name;
  Dtype dtype = Dtype::u8;
  std::vector<std::size_t> shape;
  std::string description;  // packed_text.h

  std::size_t bytes() const noexcept;
};

// What a shard is to hold, in this order.
struct ShardPlan {
  std::string file;
  std::string id;  // of the folder
  std::vector<ShardTensor> tensors;

  std::size_t data_bytes() const noexcept;
};

// One shard, written from front to back under a temporary name, so that a file with its own name is
// whole. Throws Error{io} naming the file and the reason, a full disk among them.
class ShardWriter {
 public:
  ShardWriter(const std::filesystem::path& folder, const ShardPlan& plan);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  // The next bytes of the tensor that is being written; bytes never run from one into the next.
  void write(std::span<const std::byte> bytes);
  // After the last byte: puts the checksums into the header, waits for the disk, gives the file its
  // name.
  PackedFile finish();

 private:
  void write_all(std::span<const std::byte> bytes, std::uint64_t offset);
  [[noreturn]] void fail(int error) const;

  const ShardPlan& plan_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::uint64_t offset_ = 0;
  std::size_t tensor_ = 0;        // the one that is being written
  std::size_t tensor_bytes_ = 0;  // of it, so far
  std::vector<std::uint32_t> checksums_;
};

// The shard if it is in the folder, whole and as planned. Its tensors are not read.
std::optional<PackedFile> finished_shard(const std::filesystem::path& folder,
                                         const ShardPlan& plan);

}  // namespace vl2
