// SPDX-License-Identifier: MIT
// Conversations to prompts, in the original's format:
//
//   bos  system text  <|User|>: question\n\n<|Assistant|>:  answer eos  <|User|>: ...
//
// Every turn, and inside a turn every stretch between pictures, is tokenized alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vl2/message.h"

#include "text/tokenizer.h"

namespace vl2 {

// One turn for the template. In a user's text each `<image>` is the place of a picture.
struct Turn {
  Role role = Role::user;
  std::string content;
};

// Where one picture's tokens stand.
struct PictureSpan {
  std::size_t picture = 0;  // index into all pictures of the call
  std::size_t first = 0;    // index of its first token
  std::size_t count = 0;    // tokens
};

struct Prompt {
  std::vector<std::int32_t> ids;
  // [token] 1 where a picture's row replaces the embedding. An image id may stand elsewhere too,
  // where a system text spells it; it is looked up like any other.
  std::vector<std::uint8_t> is_image;
  std::vector<PictureSpan> pictures;  // in order, those in use
};

// Whether pictures are cut into tiles: only while a call has few of them, unused ones counted.
bool tiling_is_on(std::size_t pictures_in_call) noexcept;

// The names that conversation files use: `user` or `<|User|>`, `assistant` or `<|Assistant|>`,
// `system` or `deepseekapi-sys`. Throws Error{invalid_argument} on any other.
Role role_of_name(std::string_view name);

// The prompt of a conversation by the original's rules. `picture_tokens` has the token count of
// every picture of the call; places take pictures in order over all turns, and surplus pictures are
// not used. The last answer's end token is left out: an empty last answer asks for one, text asks
// for its continuation.
// Throws Error{invalid_argument} for no turns, a last turn that is not an answer, a system text
// that does not come first, a place in an answer, and more places than pictures.
Prompt build_prompt(const Tokenizer& tokenizer, std::span<const Turn> turns,
                    std::span<const std::size_t> picture_tokens);

// The prompt of a text that is formatted already, after the begin token. Throws
// Error{invalid_argument} unless it has as many `<image>` as there are pictures.
Prompt build_raw_prompt(const Tokenizer& tokenizer, std::string_view text,
                        std::span<const std::size_t> picture_tokens);

// Gives each picture of a user message its place, as the original's demo does: missing tags go
// before the text, one a line, and surplus tags are removed from the left.
void place_missing_image_tags(Message& message);

// Brings messages as people write them into the form build_prompt asks for: system texts come
// first, joined by a line break; pictures get their places; a conversation that does not end with
// an answer gets an empty one. Throws Error{invalid_argument} for pictures outside user messages.
std::vector<Message> arrange_messages(std::vector<Message> messages);

// The turns of arranged messages. Their pictures, in order, are those of the call.
std::vector<Turn> turns_of(std::span<const Message> messages);

}  // namespace vl2
