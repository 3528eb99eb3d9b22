// SPDX-License-Identifier: MIT
// What a packed folder was made of, in one word.
#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/checkpoint.h"
#include "checkpoint/recipe.h"

namespace vl2 {

// 32 hexadecimal digits, the same for the same configuration, tensors and recipe. Of each tensor
// only the beginning is read, so that it takes a moment for a checkpoint of any size.
std::string source_identity(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                            Recipe recipe);

}  // namespace vl2
