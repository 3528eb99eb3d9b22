// SPDX-License-Identifier: MIT
// What the library throws, and nothing else: one type, thrown where files, requests and pictures
// enter. The message is one line for a human: what failed, with its name and number, then what to
// do about it.
#pragma once

#include <stdexcept>
#include <string>

namespace vl2 {

enum class ErrorCode {
  invalid_argument,  // the caller asked for something that makes no sense
  not_found,         // a file or folder is not there
  io,                // reading or writing failed: permissions, a full disk
  bad_image,         // a picture that cannot be decoded, or is too large or too thin
  bad_checkpoint,    // a model folder that is broken or contradicts itself
  unsupported,       // well formed, but nothing this version can run
  too_long,          // a prompt that does not fit the context
  out_of_memory,     // more memory asked for than there is
  cancelled,         // stopped by the caller
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace vl2
