// SPDX-License-Identifier: MIT
#include "engine/boxes.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

#include "text/grounding.h"
#include "text/special_tokens.h"

namespace vl2 {
namespace {

// The index of the picture that the last `image_k` of the text names, if there is such a picture.
std::optional<std::size_t> named_picture(std::string_view text, std::size_t pictures) {
  constexpr std::string_view kPrefix = "image_";
  for (std::size_t at = text.rfind(kPrefix); at != text.npos;
       at = at == 0 ? text.npos : text.rfind(kPrefix, at - 1)) {
    const std::string_view digits = text.substr(at + kPrefix.size());
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && number >= 1 && number <= pictures) return number - 1;
  }
  return {};
}

// The part of the last question that stands after its pictures.
std::string_view question_of(std::span<const Message> messages) {
  for (std::size_t i = messages.size(); i-- > 0;) {
    if (messages[i].role != Role::user) continue;
    const std::string_view text = messages[i].content;
    const std::size_t tag = text.rfind(kImageTag);
    return tag == text.npos ? text : text.substr(tag + kImageTag.size());
  }
  return {};
}

int to_int(std::int64_t value) {
  return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(),
                                                   std::numeric_limits<int>::max()));
}

}  // namespace

std::vector<Box> find_boxes(std::string_view answer, std::span<const Message> messages) {
  std::vector<const Image*> pictures;
  for (const Message& message : messages)
    for (const Image& image : message.images) pictures.push_back(&image);
  if (pictures.empty()) return {};

  const std::size_t meant =
      named_picture(question_of(messages), pictures.size()).value_or(pictures.size() - 1);
  std::vector<Box> boxes;
  for (const GroundedBox& box : parse_grounding(answer)) {
    const std::size_t picture = named_picture(box.label, pictures.size()).value_or(meant);
    const PixelBox pixels = to_pixels(box, pictures[picture]->width, pictures[picture]->height);
    boxes.push_back({box.label, picture, to_int(pixels.x1), to_int(pixels.y1), to_int(pixels.x2),
                     to_int(pixels.y2)});
  }
  return boxes;
}

}  // namespace vl2
