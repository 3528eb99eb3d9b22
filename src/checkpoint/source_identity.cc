// SPDX-License-Identifier: MIT
#include "checkpoint/source_identity.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "checkpoint/packed_folder.h"

namespace vl2 {
namespace {

constexpr std::size_t kBytesOfEach = 256;
constexpr std::size_t kDigits = 32;

}  // namespace

std::string source_identity(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                            Recipe recipe) {
  std::vector<std::uint8_t> seen;
  const auto see_text = [&](const std::string& text) {
    seen.insert(seen.end(), text.begin(), text.end());
    seen.push_back(0);
  };
  see_text(fmt::format("{} {} {}", kPackedMethod, kPackedVersion, to_string(recipe)));
  see_text(read_text_file(folder / "config.json"));
  for (const TensorView* tensor : checkpoint.tensors()) {
    see_text(
        fmt::format("{} {} {}", tensor->name, to_string(tensor->dtype), shape_text(tensor->shape)));
    const auto begin = tensor->bytes.first(std::min(kBytesOfEach, tensor->bytes.size()));
    seen.insert(seen.end(), begin.begin(), begin.end());
    release_pages(begin);
  }
  return sha256_hex(seen).substr(0, kDigits);
}

}  // namespace vl2
