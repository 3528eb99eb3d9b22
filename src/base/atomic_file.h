// SPDX-License-Identifier: MIT
// Files that appear whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace vl2 {

// Writes to a temporary file in the same folder; commit() gives it its name, replacing a file of
// that name. Without commit() nothing is left behind. A symbolic link is followed, and what is no
// regular file (a device, a pipe) is written to directly.
class AtomicFile {
 public:
  // Throws Error{io} with the path and the reason; so do the others.
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  [[noreturn]] void fail(int error) const;
  void close_and_remove() noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty when written to directly
  int descriptor_ = -1;
};

}  // namespace vl2
