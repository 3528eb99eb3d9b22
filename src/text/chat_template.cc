// SPDX-License-Identifier: MIT
#include "text/chat_template.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "vl2/error.h"
#include "vl2/message.h"

#include "text/special_tokens.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace vl2 {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::size_t count_image_tags(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(kImageTag); at != text.npos;
       at = text.find(kImageTag, at + kImageTag.size())) {
    ++count;
  }
  return count;
}

class PromptBuilder {
 public:
  PromptBuilder(const Tokenizer& tokenizer, std::span<const std::size_t> picture_tokens)
      : tokenizer_(tokenizer), picture_tokens_(picture_tokens) {}

  std::size_t pictures_left() const { return picture_tokens_.size() - prompt_.pictures.size(); }

  void add_id(std::int32_t id) {
    prompt_.ids.push_back(id);
    prompt_.is_image.push_back(0);
  }

  void add_text(std::string_view text) {
    for (const std::int32_t id : tokenizer_.encode(text)) add_id(id);
  }

  // There must be pictures for all tags.
  void add_text_with_pictures(std::string_view text) {
    for (std::size_t tag = text.find(kImageTag); tag != text.npos; tag = text.find(kImageTag)) {
      add_text(text.substr(0, tag));
      add_picture();
      text.remove_prefix(tag + kImageTag.size());
    }
    add_text(text);
  }

  void remove_last() {
    prompt_.ids.pop_back();
    prompt_.is_image.pop_back();
  }

  const Prompt& prompt() const { return prompt_; }
  Prompt take() { return std::move(prompt_); }

 private:
  void add_picture() {
    const std::size_t picture = prompt_.pictures.size();
    const std::size_t count = picture_tokens_[picture];
    prompt_.pictures.push_back({picture, prompt_.ids.size(), count});
    prompt_.ids.insert(prompt_.ids.end(), count, tokenizer_.image_id());
    prompt_.is_image.insert(prompt_.is_image.end(), count, 1);
  }

  const Tokenizer& tokenizer_;
  std::span<const std::size_t> picture_tokens_;
  Prompt prompt_;
};

void add_question(PromptBuilder& builder, std::string_view text, std::size_t turn) {
  const std::size_t tags = count_image_tags(text);
  if (tags > builder.pictures_left()) {
    refuse(fmt::format("message {} has {} {} tags, but only {} pictures are left for it", turn + 1,
                       tags, kImageTag, builder.pictures_left()));
  }
  const std::string question = text.empty()
                                   ? fmt::format("{}:{}:", kUserTag, kAssistantTag)
                                   : fmt::format("{}: {}\n\n{}:", kUserTag, text, kAssistantTag);
  builder.add_text_with_pictures(question);
}

void add_answer(PromptBuilder& builder, std::string_view text, std::int32_t eos, std::size_t turn) {
  if (count_image_tags(text) > 0) {
    refuse(fmt::format("message {} is an answer and must not have {}", turn + 1, kImageTag));
  }
  builder.add_text(text);
  builder.add_id(eos);
}

// Joins `more` to a text that may still be empty.
void append_line(std::string& text, std::string_view more) {
  if (!text.empty()) text += '\n';
  text += more;
}

}  // namespace

bool tiling_is_on(std::size_t pictures_in_call) noexcept {
  constexpr std::size_t kMostTiledPictures = 2;
  return pictures_in_call <= kMostTiledPictures;
}

Role role_of_name(std::string_view name) {
  if (name == "user" || name == kUserTag) return Role::user;
  if (name == "assistant" || name == kAssistantTag) return Role::assistant;
  if (name == "system" || name == "deepseekapi-sys") return Role::system;
  refuse(fmt::format("unknown role \"{}\"; it must be user, assistant or system", name));
}

Prompt build_prompt(const Tokenizer& tokenizer, std::span<const Turn> turns,
                    std::span<const std::size_t> picture_tokens) {
  if (turns.empty()) refuse("the conversation is empty");
  PromptBuilder builder(tokenizer, picture_tokens);
  builder.add_id(tokenizer.bos_id());
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const std::string_view text = strip_white_space(turns[i].content);
    switch (turns[i].role) {
      case Role::system:
        if (i > 0) refuse(fmt::format("message {} is a system text, which must come first", i + 1));
        builder.add_text(text);
        break;
      case Role::user:
        add_question(builder, text, i);
        break;
      case Role::assistant:
        add_answer(builder, text, tokenizer.eos_id(), i);
        break;
    }
  }
  // The original looks at the last id alone, so that a system text which spells the end token
  // passes as well.
  if (builder.prompt().ids.back() != tokenizer.eos_id()) {
    refuse("the last message must be the assistant's; leave it empty to ask for an answer");
  }
  builder.remove_last();
  return builder.take();
}

Prompt build_raw_prompt(const Tokenizer& tokenizer, std::string_view text,
                        std::span<const std::size_t> picture_tokens) {
  if (count_image_tags(text) != picture_tokens.size()) {
    refuse(fmt::format("the prompt has {} {} tags for {} pictures", count_image_tags(text),
                       kImageTag, picture_tokens.size()));
  }
  PromptBuilder builder(tokenizer, picture_tokens);
  builder.add_id(tokenizer.bos_id());
  builder.add_text_with_pictures(text);
  return builder.take();
}

void place_missing_image_tags(Message& message) {
  const std::size_t tags = count_image_tags(message.content);
  const std::size_t pictures = message.images.size();
  std::string placed;
  for (std::size_t i = tags; i < pictures; ++i) append_line(placed, kImageTag);
  if (tags < pictures) placed += '\n';
  std::string_view rest = message.content;
  for (std::size_t i = pictures; i < tags; ++i) {
    const std::size_t tag = rest.find(kImageTag);
    placed += rest.substr(0, tag);
    rest.remove_prefix(tag + kImageTag.size());
  }
  placed += rest;
  message.content = std::move(placed);
}

std::vector<Message> arrange_messages(std::vector<Message> messages) {
  Message system{Role::system, {}, {}};
  std::vector<Message> arranged;
  for (Message& message : messages) {
    if (message.role != Role::user && !message.images.empty()) {
      refuse("only user messages may have pictures");
    }
    if (message.role == Role::system) {
      append_line(system.content, message.content);
      continue;
    }
    if (message.role == Role::user) place_missing_image_tags(message);
    arranged.push_back(std::move(message));
  }
  if (!system.content.empty()) arranged.insert(arranged.begin(), std::move(system));
  if (arranged.empty() || arranged.back().role != Role::assistant) {
    arranged.push_back({Role::assistant, {}, {}});
  }
  return arranged;
}

std::vector<Turn> turns_of(std::span<const Message> messages) {
  std::vector<Turn> turns;
  turns.reserve(messages.size());
  for (const Message& message : messages) turns.push_back({message.role, message.content});
  return turns;
}

}  // namespace vl2
