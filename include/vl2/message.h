// SPDX-License-Identifier: MIT
// What is said to the model, and what it said before.
#pragma once

#include <string>
#include <vector>

#include "vl2/image.h"

namespace vl2 {

enum class Role {
  system,     // instructions, before all else
  user,       // questions, with or without pictures
  assistant,  // the model's answers
};

// One message of a conversation. Its text is UTF-8.
//
// In a user's text each `<image>` is the place of a picture, in the order of `images`. Pictures
// without a place come before the text, one a line; places without a picture are removed, from
// the left. Only user messages have pictures.
//
// A conversation that ends with an assistant message asks the model to continue that text, any
// other one to answer.
struct Message {
  Role role = Role::user;
  std::string content;
  std::vector<Image> images;
};

}  // namespace vl2
