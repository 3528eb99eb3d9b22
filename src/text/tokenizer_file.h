// SPDX-License-Identifier: MIT
// What the files of a tokenizer say, checked: tokenizer.json (byte-level BPE only) and
// tokenizer_config.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/pretokenizer.h"

namespace vl2 {

struct TokenizerFile {
  std::vector<std::string> spellings;  // [id], empty where no vocabulary entry has the id
  std::vector<Merge> merges;
  std::vector<AddedToken> added_tokens;  // texts differ from each other; ids agree with spellings
  Pretokenizer pretokenizer;
  bool ignore_merges = false;  // a piece that is a token as a whole is not built from merges
};

// `name` is what errors call the file. Throws Error{bad_checkpoint, unsupported}, naming the field.
TokenizerFile parse_tokenizer_file(std::string_view json, const std::string& name);

// The tokens that tokenizer_config.json names.
struct TokenizerConfig {
  std::string bos;
  std::string eos;
  std::optional<std::string> pad;
};

// Throws Error{bad_checkpoint} when the begin or the end token is missing.
TokenizerConfig parse_tokenizer_config(std::string_view json, const std::string& name);

}  // namespace vl2
