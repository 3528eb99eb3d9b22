// SPDX-License-Identifier: MIT
// Where a model's tensors come from: a checkpoint, or thin air for benchmarks.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned.h"
#include "base/parallel.h"
#include "checkpoint/checkpoint.h"

namespace vl2 {

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  // The tensor of that name with exactly that shape. The view lives as long as the source.
  // Throws Error{bad_checkpoint} naming the tensor.
  virtual const TensorView& tensor(std::string_view name,
                                   const std::vector<std::size_t>& shape) const = 0;
  virtual bool has(std::string_view name) const = 0;
  // A part of a tensor's bytes will be read soon: what is mapped from a file is fetched.
  virtual void prefetch(std::span<const std::uint8_t> /*bytes*/) const {}
  // What has been read so far is done with: memory of mapped files is given back. Everything can be
  // read all the same. Called while no other thread reads.
  virtual void release() const {}
};

class CheckpointSource final : public TensorSource {
 public:
  // `checkpoint` must outlive the source.
  explicit CheckpointSource(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}
  const TensorView& tensor(std::string_view name,
                           const std::vector<std::size_t>& shape) const override;
  bool has(std::string_view name) const override;
  void prefetch(std::span<const std::uint8_t> bytes) const override;
  void release() const override;

 private:
  const Checkpoint& checkpoint_;
};

// bf16 numbers, uniform in (-0.05, 0.05), the same for the same name and shape: models of any
// shape for measuring speed. All tensors are windows into one pool as large as the largest.
class RandomSource final : public TensorSource {
 public:
  // `largest` is the number of numbers in the largest tensor that will be asked for.
  RandomSource(std::size_t largest, const ThreadTeam& team);
  const TensorView& tensor(std::string_view name,
                           const std::vector<std::size_t>& shape) const override;
  bool has(std::string_view name) const override;

 private:
  AlignedBuffer pool_;
  std::filesystem::path file_ = "random weights";
  mutable std::mutex mutex_;
  mutable std::map<std::string, TensorView, std::less<>> views_;
};

}  // namespace vl2
