// SPDX-License-Identifier: MIT
// One file of the safetensors format: 8 bytes (the header's length, little-endian), a JSON header
// that maps names to dtype, shape and byte range, then the tensors' bytes, row-major and
// little-endian, without holes or overlaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mapped_file.h"

namespace vl2 {

// All number types of the format. Only f32, bf16 and f16 can be read as floats.
enum class Dtype {
  f32,
  bf16,
  f16,
  f64,
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f6_e2m3,
  f6_e3m2,
  f4,
  c64,
};

// The name the format uses: "BF16".
std::string_view to_string(Dtype dtype) noexcept;
// Bits a number takes in the file.
std::size_t bits_of(Dtype dtype) noexcept;

// A tensor in a mapped file. The bytes need not be aligned for their type.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::size_t> shape;
  std::span<const std::uint8_t> bytes;
  const std::filesystem::path* file = nullptr;  // for messages; lives as long as the bytes

  // The product of the shape; 1 for a scalar. It was checked not to overflow.
  std::size_t count() const noexcept;
};

// "[3, 2]"
std::string shape_text(std::span<const std::size_t> shape);

struct SafetensorsContents {
  std::vector<TensorView> tensors;              // in the order of their bytes
  std::map<std::string, std::string> metadata;  // the header's __metadata__
};

// Headers beyond this many bytes are refused, as by the format's own library.
inline constexpr std::size_t kMaxSafetensorsHeaderBytes = 100'000'000;

// Checks the whole header against the bytes and returns views into them. Throws
// Error{bad_checkpoint} naming `file` and the tensor at fault.
SafetensorsContents parse_safetensors(std::span<const std::uint8_t> bytes,
                                      const std::filesystem::path& file);

// A mapped file. Move-only; views stay valid when it is moved. Reading it is thread-safe.
class SafetensorsFile {
 public:
  // Throws Error{not_found, io, bad_checkpoint}.
  explicit SafetensorsFile(std::filesystem::path path);

  const std::filesystem::path& path() const noexcept { return *path_; }
  std::span<const TensorView> tensors() const noexcept { return contents_.tensors; }
  const std::map<std::string, std::string>& metadata() const noexcept { return contents_.metadata; }
  // All of the file.
  std::span<const std::uint8_t> bytes() const noexcept { return file_.bytes(); }
  // What comes before the bytes of the first tensor.
  std::span<const std::uint8_t> header_bytes() const noexcept;
  // nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;

 private:
  std::unique_ptr<const std::filesystem::path> path_;  // views point to it
  MappedFile file_;
  SafetensorsContents contents_;
  std::unordered_map<std::string_view, const TensorView*> by_name_;
};

}  // namespace vl2
