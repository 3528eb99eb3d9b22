// SPDX-License-Identifier: MIT
// Where the program writes: answers to standard output, everything else to standard error.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace vl2 {

// Members stay in the order in which they were added.
using Json = nlohmann::ordered_json;

// Whoever read standard output has gone. Nobody is left to tell, so the program ends quietly.
struct OutputClosed {};

// Writes all of `text` to standard output at once. Throws OutputClosed, and Error{io} when the disk
// is full or the descriptor is broken.
void write_output(std::string_view text);

// One line of JSON. Bytes that are no UTF-8 (parts of characters in tokens, file names) become
// U+FFFD.
void write_json(const Json& value);

// "vl2: MESSAGE" as one line on standard error. Control characters, which file names may hold, are
// replaced.
void write_note(std::string_view message);

}  // namespace vl2
