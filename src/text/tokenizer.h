// SPDX-License-Identifier: MIT
// Text to token ids and back, exactly as the original's tokenizer: byte-level BPE read from a
// model folder's tokenizer.json and tokenizer_config.json, with the tokens that the original's
// processor adds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vl2 {

// The contents of a tokenizer's two files.
struct TokenizerText {
  std::string_view tokenizer_json;
  std::string_view tokenizer_config_json;
  std::string folder;  // what errors put before the files' names
};

struct TokenizerOptions {
  // Adds the tokens of DeepSeek-VL2 that the files lack, in the original's order and at the next
  // free ids. Without it their ids may be -1, and the tokenizer is that of the files alone.
  bool add_missing_tokens = true;
};

// Immutable: a cheap handle, copied and shared by threads freely.
class Tokenizer {
 public:
  // Throws Error{not_found, io} when a file is missing or unreadable, and
  // Error{bad_checkpoint, unsupported} naming file and field when it is not what it should be.
  static Tokenizer load(const std::filesystem::path& folder, TokenizerOptions options = {});
  static Tokenizer parse(const TokenizerText& text, TokenizerOptions options = {});

  // The ids of `text`, nothing put before or after it. Special tokens written in the text become
  // those tokens. Any bytes are accepted: the tokens' bytes always give the text back, and broken
  // UTF-8 never joins with its surroundings. Time grows as n log n. Throws Error{too_long} beyond
  // 2^31 - 1 bytes.
  std::vector<std::int32_t> encode(std::string_view text) const;

  // The text of `ids`: their bytes joined, then each broken UTF-8 sequence replaced by U+FFFD. Ids
  // without a token decode to nothing; `skip_special` leaves special tokens out.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const;

  // The bytes of one token, valid as long as the tokenizer; empty for an id without a token.
  // A token may hold a part of a character.
  std::string_view bytes(std::int32_t id) const noexcept;

  bool is_special(std::int32_t id) const noexcept;

  // The token that `text` stands for as a whole: an added token by its text, else the vocabulary
  // entry of these bytes.
  std::optional<std::int32_t> id_of(std::string_view text) const;

  // One more than the highest id. The model's own vocab_size may be larger.
  std::int32_t vocabulary_size() const noexcept;

  std::int32_t bos_id() const noexcept;
  std::int32_t eos_id() const noexcept;
  std::int32_t pad_id() const noexcept;
  std::int32_t image_id() const noexcept;      // <image>
  std::int32_t ref_id() const noexcept;        // <|ref|>
  std::int32_t ref_end_id() const noexcept;    // <|/ref|>
  std::int32_t det_id() const noexcept;        // <|det|>
  std::int32_t det_end_id() const noexcept;    // <|/det|>
  std::int32_t grounding_id() const noexcept;  // <|grounding|>
  std::int32_t user_id() const noexcept;       // <|User|>
  std::int32_t assistant_id() const noexcept;  // <|Assistant|>

 private:
  struct Data;
  explicit Tokenizer(std::shared_ptr<const Data> data);

  std::shared_ptr<const Data> data_;
};

}  // namespace vl2
