// SPDX-License-Identifier: MIT
// Decoding while tokens are still coming.
#pragma once

#include <cstdint>
#include <string>

#include "text/tokenizer.h"

namespace vl2 {

// Takes ids one at a time and gives the text that is certain by then. A token may end inside a
// character; its bytes are held back until the character is whole or broken. All pieces together
// with what flush() gives equal Tokenizer::decode of all ids. Used by one thread.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special = false);

  // Whole UTF-8 characters, possibly none.
  std::string push(std::int32_t id);

  // Ends the text: an unfinished character becomes U+FFFD. The decoder is then as new.
  std::string flush();

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  std::string held_back_;  // a valid beginning of one character, at most 3 bytes
};

}  // namespace vl2
