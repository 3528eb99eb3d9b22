// SPDX-License-Identifier: MIT
#include "dialogue.h"

#include <algorithm>
#include <utility>

#include "vl2/error.h"

#include "base/atomic_file.h"
#include "output.h"
#include "text/conversation_json.h"
#include "text/special_tokens.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

std::string role_name(Role role) {
  switch (role) {
    case Role::system:
      return "system";
    case Role::user:
      return std::string(kUserTag);
    case Role::assistant:
      return std::string(kAssistantTag);
  }
  return {};
}

std::size_t count_tags(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(kImageTag); at != text.npos;
       at = text.find(kImageTag, at + kImageTag.size())) {
    ++count;
  }
  return count;
}

// `path` as a file in `folder` should name it.
std::string path_from(const fs::path& folder, const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  const fs::path relative = whole.lexically_relative(fs::absolute(folder).lexically_normal());
  const bool below = !relative.empty() && *relative.begin() != "..";
  return below ? relative.string() : whole.string();
}

bool is_empty_answer(const Message& message) {
  return message.role == Role::assistant && message.content.empty();
}

}  // namespace

Dialogue Dialogue::load(const fs::path& path) {
  Conversation conversation = load_conversation(path);
  Dialogue dialogue;
  dialogue.tags_ = PictureTags::strict;
  for (Turn& turn : conversation.turns) {
    dialogue.messages_.push_back({turn.role, std::move(turn.content), {}});
  }
  dialogue.paths_.resize(dialogue.messages_.size());
  // The original's processor puts the pictures of all turns into one list. The first question may
  // hold it as well as any other.
  const auto first_question =
      std::find_if(dialogue.messages_.begin(), dialogue.messages_.end(),
                   [](const Message& message) { return message.role == Role::user; });
  if (first_question == dialogue.messages_.end()) return dialogue;
  for (const fs::path& image : conversation.images) {
    first_question->images.push_back(load_image(image));
  }
  dialogue.paths_[static_cast<std::size_t>(first_question - dialogue.messages_.begin())] =
      std::move(conversation.images);
  return dialogue;
}

void Dialogue::save(const fs::path& path) const {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  Json list = Json::array();
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    Json message = {{"role", role_name(messages_[i].role)}, {"content", messages_[i].content}};
    for (const fs::path& picture : paths_[i]) {
      message["images"].push_back(path_from(folder, picture));
    }
    list.push_back(std::move(message));
  }
  AtomicFile file(path);
  file.write(list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  file.commit();
}

void Dialogue::set_system(const std::string& text) {
  if (!messages_.empty() && messages_.front().role == Role::system) {
    messages_.front().content = text;
    return;
  }
  messages_.insert(messages_.begin(), {Role::system, text, {}});
  paths_.emplace(paths_.begin());
}

void Dialogue::ask(const std::string& text, const std::vector<fs::path>& pictures) {
  Message question{Role::user, text, {}};
  for (const fs::path& picture : pictures) question.images.push_back(load_image(picture));
  place_missing_image_tags(question);
  const bool strict = tags_ == PictureTags::strict;
  if (strict && !messages_.empty() && is_empty_answer(messages_.back())) {
    messages_.pop_back();
    paths_.pop_back();
  }
  if (strict) forget_surplus_pictures();
  messages_.push_back(std::move(question));
  paths_.push_back(pictures);
  if (strict) {
    messages_.push_back({Role::assistant, {}, {}});
    paths_.emplace_back();
  }
}

// Otherwise they would be taken for the pictures of the next question.
void Dialogue::forget_surplus_pictures() {
  std::size_t places = 0;
  for (const Message& message : messages_) {
    if (message.role == Role::user) places += count_tags(message.content);
  }
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const std::size_t kept = std::min(places, messages_[i].images.size());
    messages_[i].images.resize(kept);
    paths_[i].resize(kept);
    places -= kept;
  }
}

void Dialogue::answer(const std::string& text) {
  if (!messages_.empty() && messages_.back().role == Role::assistant) {
    messages_.back().content += text;
    return;
  }
  messages_.push_back({Role::assistant, text, {}});
  paths_.emplace_back();
}

void Dialogue::take_back() {
  while (!messages_.empty() && messages_.back().role != Role::system) {
    const Role role = messages_.back().role;
    messages_.pop_back();
    paths_.pop_back();
    if (role == Role::user) return;
  }
}

void Dialogue::require_open_answer() const {
  if (!messages_.empty() && messages_.back().role == Role::assistant) return;
  throw Error(ErrorCode::invalid_argument,
              "the last message of the conversation must be the assistant's; leave it empty to ask "
              "for an answer");
}

const Image& Dialogue::picture(std::size_t index) const {
  for (const Message& message : messages_) {
    if (index < message.images.size()) return message.images[index];
    index -= message.images.size();
  }
  throw Error(ErrorCode::invalid_argument, "the answer speaks of a picture that is not there");
}

}  // namespace vl2
