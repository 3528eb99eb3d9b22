// SPDX-License-Identifier: MIT
#include "atomic_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

// mkstemp makes files that nobody else may read; this is what open() would have given.
mode_t usual_mode() {
  const mode_t mask = umask(0);
  umask(mask);
  return static_cast<mode_t>(0666) & ~mask;
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
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  std::string name = (folder / fmt::format(".{}.XXXXXX", path_.filename().string())).string();
  descriptor_ = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail(errno);
  temporary_ = name;
}

AtomicFile::~AtomicFile() { close_and_remove(); }

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
}

void AtomicFile::commit() {
  if (!temporary_.empty()) {
    if (fchmod(descriptor_, usual_mode()) != 0 || fsync(descriptor_) != 0) fail(errno);
  }
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
