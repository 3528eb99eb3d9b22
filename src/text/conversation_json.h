// SPDX-License-Identifier: MIT
// Conversations in the original's form: a JSON list of objects with `role`, `content` and,
// optionally, `images`, a list of paths.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.h"

namespace vl2 {

struct Conversation {
  std::vector<Turn> turns;
  std::vector<std::filesystem::path> images;  // of all turns, in order, used or not
};

// `folder` is what relative picture paths start from, `name` what errors call the text. Throws
// Error{invalid_argument} naming the field.
Conversation parse_conversation(std::string_view json, const std::filesystem::path& folder,
                                const std::string& name);

// Reads a file; picture paths are relative to it. Throws Error{not_found, io} as well.
Conversation load_conversation(const std::filesystem::path& path);

}  // namespace vl2
