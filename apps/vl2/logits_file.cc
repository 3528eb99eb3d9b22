// SPDX-License-Identifier: MIT
#include "logits_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "vl2/error.h"

#include "base/check.h"
#include "base/write_all.h"

namespace vl2 {
namespace {

// As TMPDIR names it, whether or not it is there: then the file cannot be made, which is told.
std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Error cannot_keep(int error) {
  return Error(ErrorCode::io, fmt::format("cannot keep logits in {}: {}; TMPDIR names another "
                                          "folder",
                                          temporary_folder(), std::strerror(error)));
}

}  // namespace

LogitsFile::LogitsFile(std::size_t width) : width_(width), row_(width) {
  std::string path = temporary_folder() + "/vl2-logits-XXXXXX";
  descriptor_ = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw cannot_keep(errno);
  unlink(path.c_str());
}

LogitsFile::~LogitsFile() { close(descriptor_); }

void LogitsFile::append(std::span<const float> row) {
  VL2_CHECK(row.size() == width_);
  const std::string_view bytes(reinterpret_cast<const char*>(row.data()), row.size_bytes());
  const int error = write_all(descriptor_, bytes);
  if (error != 0) throw cannot_keep(error);
  ++count_;
}

std::span<const float> LogitsFile::row(std::size_t index) {
  VL2_CHECK(index < count_);
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(row_));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto at = static_cast<off_t>(index * bytes.size() + done);
    const ssize_t got = pread(descriptor_, bytes.data() + done, bytes.size() - done, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw cannot_keep(got < 0 ? errno : EIO);
    done += static_cast<std::size_t>(got);
  }
  return row_;
}

}  // namespace vl2
