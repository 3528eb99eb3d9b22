// SPDX-License-Identifier: MIT
#include "base/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  const auto code = error == ENOENT || error == ENOTDIR ? ErrorCode::not_found : ErrorCode::io;
  throw Error(code, "cannot read " + path.string() + ": " + std::strerror(error));
}

// The whole pages that hold the bytes.
void advise(std::span<const std::uint8_t> bytes, int advice) noexcept {
  if (bytes.empty()) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t before = address % page;
  auto* begin = const_cast<std::uint8_t*>(bytes.data()) - before;
  madvise(begin, bytes.size() + before, advice);
}

struct Descriptor {
  int number;
  ~Descriptor() { close(number); }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) fail(path, errno);
  struct stat status{};
  if (fstat(file.number, &status) != 0) fail(path, errno);
  if (S_ISDIR(status.st_mode)) fail(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorCode::io, "cannot read " + path.string() + ": not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (mapped == MAP_FAILED) fail(path, errno);
  data_ = static_cast<const std::uint8_t*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::uint8_t*>(data_), size_);
}

void prefetch_pages(std::span<const std::uint8_t> bytes) noexcept { advise(bytes, MADV_WILLNEED); }
void release_pages(std::span<const std::uint8_t> bytes) noexcept { advise(bytes, MADV_DONTNEED); }

std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const MappedFile file(path);
  if (file.bytes().size() > max_bytes) {
    throw Error(ErrorCode::io, path.string() + " has " + std::to_string(file.bytes().size()) +
                                   " bytes, more than the " + std::to_string(max_bytes) +
                                   " that make sense for such a file");
  }
  return {file.bytes().begin(), file.bytes().end()};
}

}  // namespace vl2
