// SPDX-License-Identifier: MIT
// The tokens with a meaning of their own: those that tokenizer_config.json names and those that
// the original's processor adds to a tokenizer when it loads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/tokenizer_file.h"

namespace vl2 {

inline constexpr std::string_view kImageTag = "<image>";
inline constexpr std::string_view kRefTag = "<|ref|>";
inline constexpr std::string_view kRefEndTag = "<|/ref|>";
inline constexpr std::string_view kDetTag = "<|det|>";
inline constexpr std::string_view kDetEndTag = "<|/det|>";
inline constexpr std::string_view kGroundingTag = "<|grounding|>";
inline constexpr std::string_view kUserTag = "<|User|>";
inline constexpr std::string_view kAssistantTag = "<|Assistant|>";

struct SpecialTokenIds {
  std::int32_t bos = -1;
  std::int32_t eos = -1;
  std::int32_t pad = -1;
  std::int32_t image = -1;
  std::int32_t ref = -1;
  std::int32_t ref_end = -1;
  std::int32_t det = -1;
  std::int32_t det_end = -1;
  std::int32_t grounding = -1;
  std::int32_t user = -1;
  std::int32_t assistant = -1;
};

// Finds the special tokens by name and marks them special. With `add_missing`, those that the file
// lacks become added tokens, in the original's order and each at the id after the highest in use;
// without it their ids stay -1. The begin and end tokens must be there already:
// Error{bad_checkpoint}, with `config_name` as the file that asks for them.
SpecialTokenIds resolve_special_tokens(TokenizerFile& file, const TokenizerConfig& config,
                                       const std::string& config_name, bool add_missing);

}  // namespace vl2
