// SPDX-License-Identifier: MIT
// Tensors made by a test.
#pragma once

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vl2/error.h"

#include "model/tensor_source.h"

namespace vl2 {

class MemorySource final : public TensorSource {
 public:
  void put(const std::string& name, std::vector<std::size_t> shape, std::vector<float> values) {
    const std::vector<float>& kept = values_.emplace_back(std::move(values));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(kept.data());
    views_[name] = {
        name, Dtype::f32, std::move(shape), {bytes, kept.size() * sizeof(float)}, &file_};
  }
  const TensorView& tensor(std::string_view name,
                           const std::vector<std::size_t>& shape) const override {
    const auto found = views_.find(std::string(name));
    if (found == views_.end() || !std::ranges::equal(found->second.shape, shape))
      throw Error(ErrorCode::bad_checkpoint, "no tensor " + std::string(name) + " of that shape");
    return found->second;
  }
  bool has(std::string_view name) const override { return views_.contains(std::string(name)); }

 private:
  std::filesystem::path file_ = "memory";
  std::deque<std::vector<float>> values_;
  std::map<std::string, TensorView> views_;
};

}  // namespace vl2
