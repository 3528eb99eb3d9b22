// SPDX-License-Identifier: MIT
// The weights of a model folder, in one file or in shards.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/safetensors.h"

namespace vl2 {

// Opens, in this order, model.safetensors; the shards that model.safetensors.index.json lists; all
// model*.safetensors. Headers are read and checked, weights are only mapped. Move-only; views stay
// valid when it is moved. Reading it is thread-safe.
class Checkpoint {
 public:
  // Throws Error{not_found} when the folder or its weights are missing, Error{bad_checkpoint} when
  // a file is broken, a tensor is in two shards, or the index and the shards disagree.
  explicit Checkpoint(std::filesystem::path folder);

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::span<const SafetensorsFile> files() const noexcept { return files_; }
  // All tensors, sorted by name.
  std::span<const TensorView* const> tensors() const noexcept { return tensors_; }
  // Of all tensors together, without headers.
  std::size_t total_bytes() const noexcept;

  // nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  // Throws Error{bad_checkpoint} naming the tensor and the folder.
  const TensorView& tensor(std::string_view name) const;
  // As tensor(), and throws Error{bad_checkpoint} with both shapes when the shape is another one.
  const TensorView& expect(std::string_view name, std::span<const std::size_t> shape) const;
  const TensorView& expect(std::string_view name, std::initializer_list<std::size_t> shape) const;

 private:
  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::vector<const TensorView*> tensors_;
  std::unordered_map<std::string_view, const TensorView*> by_name_;
};

}  // namespace vl2
