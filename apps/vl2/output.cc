// SPDX-License-Identifier: MIT
#include "output.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "vl2/error.h"

#include "base/write_all.h"

namespace vl2 {

void write_output(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == EPIPE) throw OutputClosed{};
  if (error != 0) {
    throw Error(ErrorCode::io,
                fmt::format("cannot write to standard output: {}", std::strerror(error)));
  }
}

void write_json(const Json& value) {
  write_output(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void write_note(std::string_view message) {
  std::string line = fmt::format("vl2: {}", message);
  for (char& c : line) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) c = code == '\n' ? ' ' : '?';
  }
  line += '\n';
  // If even this fails there is nowhere left to report it.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace vl2
