// SPDX-License-Identifier: MIT
// More logits than one likes to keep in memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vl2 {

// Rows of floats in a file without a name, in the folder for temporary files (TMPDIR). It takes as
// much of the disk as there are rows and is gone with the object, however the program ends.
class LogitsFile {
 public:
  // Throws Error{io} naming the folder and the reason; so do the others.
  explicit LogitsFile(std::size_t width);
  ~LogitsFile();
  LogitsFile(const LogitsFile&) = delete;
  LogitsFile& operator=(const LogitsFile&) = delete;

  // A row [width] more.
  void append(std::span<const float> row);
  std::size_t count() const noexcept { return count_; }
  // Row `index`, below count(). Valid until the next call.
  std::span<const float> row(std::size_t index);

 private:
  std::size_t width_;
  std::size_t count_ = 0;
  int descriptor_ = -1;
  std::vector<float> row_;
};

}  // namespace vl2
