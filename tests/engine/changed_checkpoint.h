// SPDX-License-Identifier: MIT
// Copies of golden checkpoints with something broken.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "checkpoint/safetensors.h"
#include "engine/models.h"

namespace vl2::test {

// A copy in a folder of its own, removed with the object.
class ChangedCheckpoint {
 public:
  explicit ChangedCheckpoint(const std::string& name)
      : folder_(std::filesystem::temp_directory_path() /
                ("vl2-" + name + "-" + std::to_string(getpid()) + "-" +
                 std::to_string(reinterpret_cast<std::uintptr_t>(this)))) {
    std::filesystem::copy(golden_checkpoint(name), folder_);
    std::filesystem::permissions(folder_ / "model.safetensors", std::filesystem::perms::owner_all);
  }
  ~ChangedCheckpoint() { std::filesystem::remove_all(folder_); }
  ChangedCheckpoint(const ChangedCheckpoint&) = delete;
  ChangedCheckpoint& operator=(const ChangedCheckpoint&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

  // Every number of a bf16 tensor becomes these bits.
  void fill_tensor(const std::string& tensor, std::uint16_t bits) const {
    const std::filesystem::path path = folder_ / "model.safetensors";
    std::streamoff offset = 0;
    std::size_t count = 0;
    {
      const MappedFile file(path);
      for (const TensorView& view : parse_safetensors(file.bytes(), path).tensors) {
        if (view.name != tensor) continue;
        offset = view.bytes.data() - file.bytes().data();
        count = view.count();
      }
    }
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(offset);
    for (std::size_t i = 0; i < count; ++i)
      out.write(reinterpret_cast<const char*>(&bits), sizeof(bits));
  }

  void replace_in_file(const std::string& name, const std::string& from,
                       const std::string& to) const {
    std::string text = read_text_file(folder_ / name);
    text.replace(text.find(from), from.size(), to);
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    std::ofstream(folder_ / name) << text;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace vl2::test
