// SPDX-License-Identifier: MIT
// A conversation and the files its pictures came from.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "vl2/engine.h"
#include "vl2/message.h"

namespace vl2 {

class Dialogue {
 public:
  Dialogue() = default;

  // A file in the original's form, taken strictly: pictures are counted, placed and refused as the
  // original's processor does. Throws Error{invalid_argument, not_found, io, bad_image}.
  static Dialogue load(const std::filesystem::path& path);
  // Writes the same form, whole or not at all. Paths of pictures below the file's folder are
  // relative to it, others absolute. Throws Error{io}.
  void save(const std::filesystem::path& path) const;

  // A system text, before all else.
  void set_system(const std::string& text);
  // A question about pictures that are loaded now. Pictures without an `<image>` in the text come
  // before it. Where the conversation ends with an empty answer, that one is taken away first.
  // Throws Error{not_found, io, bad_image}.
  void ask(const std::string& text, const std::vector<std::filesystem::path>& pictures);
  void answer(const std::string& text);
  // Throws Error{invalid_argument} unless the conversation ends with an answer, empty or to be
  // continued, as the original asks for.
  void require_open_answer() const;
  // Takes the last question back.
  void take_back();

  const std::vector<Message>& messages() const noexcept { return messages_; }
  PictureTags tags() const noexcept { return tags_; }
  // By its number over all messages.
  const Image& picture(std::size_t index) const;

 private:
  void forget_surplus_pictures();

  std::vector<Message> messages_;
  std::vector<std::vector<std::filesystem::path>> paths_;  // [message][picture]
  PictureTags tags_ = PictureTags::place_missing;
};

}  // namespace vl2
