// SPDX-License-Identifier: MIT
#include "text/tokenizer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "vl2/error.h"

#include "base/mapped_file.h"
#include "text/added_tokens.h"
#include "text/regex.h"
#include "text/special_tokens.h"
#include "text/tokenizer_file.h"
#include "text/unicode.h"
#include "text/vocabulary.h"

namespace vl2 {
namespace {

constexpr const char* kTokenizerFile = "tokenizer.json";
constexpr const char* kConfigFile = "tokenizer_config.json";

std::string name_in(const std::string& folder, const char* file) {
  return (std::filesystem::path(folder) / file).string();
}

}  // namespace

struct Tokenizer::Data {
  Data(TokenizerFile file, const SpecialTokenIds& special_ids, const std::string& file_name)
      : ids(special_ids),
        vocabulary(file),
        added_tokens(std::move(file.added_tokens)),
        pretokenizer(std::move(file.pretokenizer)),
        ignore_merges(file.ignore_merges),
        bpe(vocabulary.byte_ids(file_name), std::move(file.merges)) {}

  SpecialTokenIds ids;
  Vocabulary vocabulary;
  AddedTokens added_tokens;
  Pretokenizer pretokenizer;
  bool ignore_merges;
  Bpe bpe;
};

Tokenizer::Tokenizer(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

Tokenizer Tokenizer::load(const std::filesystem::path& folder, TokenizerOptions options) {
  const std::string tokenizer = read_text_file(folder / kTokenizerFile);
  const std::string config = read_text_file(folder / kConfigFile);
  return parse({tokenizer, config, folder.string()}, options);
}

Tokenizer Tokenizer::parse(const TokenizerText& text, TokenizerOptions options) {
  const std::string file_name = name_in(text.folder, kTokenizerFile);
  const std::string config_name = name_in(text.folder, kConfigFile);
  TokenizerFile file = parse_tokenizer_file(text.tokenizer_json, file_name);
  const TokenizerConfig config = parse_tokenizer_config(text.tokenizer_config_json, config_name);
  const SpecialTokenIds ids =
      resolve_special_tokens(file, config, config_name, options.add_missing_tokens);
  return Tokenizer(std::make_shared<const Data>(std::move(file), ids, file_name));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  if (text.size() > INT32_MAX) {
    throw Error(ErrorCode::too_long,
                fmt::format("a text of {} bytes is too long to tokenize", text.size()));
  }
  std::vector<std::int32_t> ids;
  RegexScratch regex_scratch;
  Bpe::Scratch bpe_scratch;
  std::vector<std::string_view> pieces;
  for (const TextSegment& segment : data_->added_tokens.split(text, regex_scratch)) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
      continue;
    }
    pieces.clear();
    data_->pretokenizer.split(segment.text, regex_scratch, pieces);
    for (const std::string_view piece : pieces) {
      const auto whole = data_->ignore_merges ? data_->vocabulary.id_of_bytes(piece) : std::nullopt;
      if (whole) {
        ids.push_back(*whole);
      } else {
        data_->bpe.encode(piece, bpe_scratch, ids);
      }
    }
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  std::string joined;
  for (const std::int32_t id : ids) {
    if (skip_special && is_special(id)) continue;
    joined.append(bytes(id));
  }
  return replace_broken_utf8(joined);
}

std::string_view Tokenizer::bytes(std::int32_t id) const noexcept {
  return data_->vocabulary.bytes(id);
}

bool Tokenizer::is_special(std::int32_t id) const noexcept {
  return data_->vocabulary.is_special(id);
}

std::optional<std::int32_t> Tokenizer::id_of(std::string_view text) const {
  const auto added = data_->vocabulary.id_of_added_token(text);
  return added ? added : data_->vocabulary.id_of_bytes(text);
}

std::int32_t Tokenizer::vocabulary_size() const noexcept { return data_->vocabulary.size(); }
std::int32_t Tokenizer::bos_id() const noexcept { return data_->ids.bos; }
std::int32_t Tokenizer::eos_id() const noexcept { return data_->ids.eos; }
std::int32_t Tokenizer::pad_id() const noexcept { return data_->ids.pad; }
std::int32_t Tokenizer::image_id() const noexcept { return data_->ids.image; }
std::int32_t Tokenizer::ref_id() const noexcept { return data_->ids.ref; }
std::int32_t Tokenizer::ref_end_id() const noexcept { return data_->ids.ref_end; }
std::int32_t Tokenizer::det_id() const noexcept { return data_->ids.det; }
std::int32_t Tokenizer::det_end_id() const noexcept { return data_->ids.det_end; }
std::int32_t Tokenizer::grounding_id() const noexcept { return data_->ids.grounding; }
std::int32_t Tokenizer::user_id() const noexcept { return data_->ids.user; }
std::int32_t Tokenizer::assistant_id() const noexcept { return data_->ids.assistant; }

}  // namespace vl2
