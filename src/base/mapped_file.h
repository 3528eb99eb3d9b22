// SPDX-License-Identifier: MIT
// A file's bytes, read only, mapped into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace vl2 {

// Move-only; the bytes live as long as the object. A file that shrinks while it is mapped kills
// the process on access (SIGBUS), as with every program that maps its models.
class MappedFile {
 public:
  MappedFile() = default;
  // Throws Error{not_found} or Error{io} with the path in the message.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::uint8_t> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Parts of a mapped file. The system fetches them, without waiting.
void prefetch_pages(std::span<const std::uint8_t> bytes) noexcept;
// The process gives their memory back; they can still be read, from the system's cache or the disk.
void release_pages(std::span<const std::uint8_t> bytes) noexcept;

// The whole file as text. Throws as MappedFile does, and Error{io} beyond `max_bytes`.
std::string read_text_file(const std::filesystem::path& path,
                           std::size_t max_bytes = std::size_t{256} << 20);

}  // namespace vl2
