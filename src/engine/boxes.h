// SPDX-License-Identifier: MIT
// Which picture a grounded answer speaks of.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "vl2/engine.h"

namespace vl2 {

// Width and height of every picture of the conversation come from `messages`.
//
// The markup does not say which picture a box is in. With one picture it is that one. With
// several: the one that the label names (`image_2`, as the model's prompts number pictures, counted
// from 1 over the whole conversation); else the one that the last question names, after its
// pictures' places; else the last picture before the answer, as in the original's inference.py.
// Boxes of conversations without pictures are left out.
std::vector<Box> find_boxes(std::string_view answer, std::span<const Message> messages);

}  // namespace vl2
