// SPDX-License-Identifier: MIT
#include "base/atomic_file.h"

#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "vl2/error.h"

#include "base/write_all.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

// Opens a new file beside `path`; its name goes to `temporary`. -1 with errno if it cannot.
int open_beside(const fs::path& path, fs::path& temporary) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::random_device random;
  int descriptor = -1;
  do {
    temporary = folder / fmt::format(".{}.{:08x}", path.filename().string(), random());
    // Not mkstemp, whose files nobody else may read: these get the usual permissions.
    descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  return descriptor;
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path) : path_(path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) fail(EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(errno);
    return;
  }
  if (fs::exists(status)) {
    // Replacing needs leave to write the folder alone; a protected file should be safe all the
    // same.
    if (::access(path.c_str(), W_OK) != 0) fail(errno);
    path_ = fs::canonical(path, error);
    if (error) fail(error.value());
  }
  fs::path temporary;
  descriptor_ = open_beside(path_, temporary);
  if (descriptor_ < 0) fail(errno);
  temporary_ = temporary;
}

AtomicFile::~AtomicFile() { close_and_remove(); }

void AtomicFile::write(std::string_view bytes) {
  if (const int error = write_all(descriptor_, bytes)) fail(error);
}

void AtomicFile::commit() {
  if (!temporary_.empty() && fsync(descriptor_) != 0) fail(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
}

void AtomicFile::fail(int error) const {
  throw Error(ErrorCode::io,
              fmt::format("cannot write {}: {}", path_.string(), std::strerror(error)));
}

void AtomicFile::close_and_remove() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

}  // namespace vl2
