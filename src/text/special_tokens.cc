// SPDX-License-Identifier: MIT
#include "text/special_tokens.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "vl2/error.h"

#include "text/added_tokens.h"
#include "text/tokenizer_file.h"

namespace vl2 {
namespace {

constexpr std::string_view kDefaultPad = "<｜▁pad▁｜>";

// A linear search will do: a dozen tokens are looked up, once a load.
std::optional<std::int32_t> find_token(const TokenizerFile& file, std::string_view text) {
  for (const AddedToken& token : file.added_tokens) {
    if (token.text == text) return token.id;
  }
  const auto found = std::find(file.spellings.begin(), file.spellings.end(), text);
  if (text.empty() || found == file.spellings.end()) return {};
  return static_cast<std::int32_t>(found - file.spellings.begin());
}

std::int32_t next_free_id(const TokenizerFile& file) {
  auto next = static_cast<std::int32_t>(file.spellings.size());
  for (const AddedToken& token : file.added_tokens) next = std::max(next, token.id + 1);
  return next;
}

std::int32_t make_special(TokenizerFile& file, std::string_view text, std::int32_t id) {
  const auto known = std::find_if(file.added_tokens.begin(), file.added_tokens.end(),
                                  [&](const AddedToken& token) { return token.id == id; });
  if (known != file.added_tokens.end()) {
    known->special = true;
    return id;
  }
  AddedToken token;
  token.id = id;
  token.text = text;
  token.special = true;
  file.added_tokens.push_back(std::move(token));
  return id;
}

std::int32_t require_token(TokenizerFile& file, const std::string& text, const std::string& where) {
  const auto id = find_token(file, text);
  if (!id) {
    throw Error(
        ErrorCode::bad_checkpoint,
        fmt::format("{} is \"{}\", a token that tokenizer.json does not have", where, text));
  }
  return make_special(file, text, *id);
}

}  // namespace

SpecialTokenIds resolve_special_tokens(TokenizerFile& file, const TokenizerConfig& config,
                                       const std::string& config_name, bool add_missing) {
  const auto take = [&](std::string_view text) {
    const auto id = find_token(file, text);
    if (id) return make_special(file, text, *id);
    return add_missing ? make_special(file, text, next_free_id(file)) : -1;
  };
  SpecialTokenIds ids;
  ids.bos = require_token(file, config.bos, config_name + ": field bos_token");
  ids.eos = require_token(file, config.eos, config_name + ": field eos_token");
  ids.pad = take(config.pad.value_or(std::string(kDefaultPad)));
  ids.image = take(kImageTag);
  ids.ref = take(kRefTag);
  ids.ref_end = take(kRefEndTag);
  ids.det = take(kDetTag);
  ids.det_end = take(kDetEndTag);
  ids.grounding = take(kGroundingTag);
  ids.user = take(kUserTag);
  ids.assistant = take(kAssistantTag);
  return ids;
}

}  // namespace vl2
