// SPDX-License-Identifier: MIT
// A tokenizer.json small enough to think through: id b is byte b, id 256 is `ab`, id 257 `abc`,
// id 258 ` a`; bos and eos are added tokens.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "text/byte_level.h"
#include "text/tokenizer.h"

namespace vl2::testing {

inline constexpr std::int32_t kAb = 256;
inline constexpr std::int32_t kAbc = 257;
inline constexpr std::int32_t kSpaceA = 258;
inline constexpr std::int32_t kBos = 259;
inline constexpr std::int32_t kEos = 260;

inline nlohmann::json added_token(std::int32_t id, const std::string& text, bool special = true) {
  return {{"id", id},
          {"content", text},
          {"special", special},
          {"normalized", false},
          {"single_word", false},
          {"lstrip", false},
          {"rstrip", false}};
}

inline nlohmann::json tiny_tokenizer_json() {
  nlohmann::json vocab;
  for (unsigned byte = 0; byte < 256; ++byte) {
    vocab[byte_spelling(static_cast<std::uint8_t>(byte))] = byte;
  }
  const std::string space = byte_spelling(' ');
  vocab["ab"] = kAb;
  vocab["abc"] = kAbc;
  vocab[space + "a"] = kSpaceA;
  const nlohmann::json split = {{"type", "Split"},
                                {"pattern", {{"Regex", R"( ?\p{L}+|\s+|[^\s\p{L}]+)"}}},
                                {"behavior", "Isolated"},
                                {"invert", false}};
  const nlohmann::json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return {
      {"added_tokens", {added_token(kBos, "<s>"), added_token(kEos, "</s>")}},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a b", "ab c", space + " a"}}}}};
}

inline nlohmann::json tiny_config_json() {
  return {{"bos_token", "<s>"}, {"eos_token", {{"content", "</s>"}}}};
}

inline Tokenizer tiny_tokenizer(const nlohmann::json& tokenizer = tiny_tokenizer_json(),
                                const nlohmann::json& config = tiny_config_json()) {
  return Tokenizer::parse({tokenizer.dump(), config.dump(), "tiny"});
}

}  // namespace vl2::testing
