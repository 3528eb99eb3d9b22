// SPDX-License-Identifier: MIT
#include "text/tokenizer_file.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "vl2/error.h"

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/json_field.h"
#include "text/pretokenizer.h"

namespace vl2 {
namespace {

// Far above any vocabulary in use; bounds what a hostile file can make us allocate.
constexpr std::int64_t kMaxTokenId = (std::int64_t{1} << 20) - 1;

using IdsBySpelling = std::unordered_map<std::string_view, std::int32_t>;

[[noreturn]] void unsupported(const JsonField& field, std::string_view message) {
  throw Error(ErrorCode::unsupported, fmt::format("{} {}", field.where(), message));
}

// Normalisers do nothing in the tokenizers of this family: empty sequences at most.
void check_normalizer(const JsonField& field) {
  const std::string& type = field.at("type").string();
  if (type != "Sequence") unsupported(field, fmt::format("has type \"{}\", not supported", type));
  const std::vector<JsonField> parts = field.at("normalizers").elements();
  if (!parts.empty()) unsupported(parts.front(), "is a normaliser, which is not supported");
}

void check_decoder(const JsonField& root) {
  const JsonField type = root.at("decoder").at("type");
  if (type.string() != "ByteLevel") {
    unsupported(type, fmt::format("is \"{}\"; only ByteLevel is supported", type.string()));
  }
}

void check_model(const JsonField& model) {
  const JsonField type = model.at("type");
  if (type.string() != "BPE") {
    unsupported(type, fmt::format("is \"{}\"; only byte-level BPE is supported", type.string()));
  }
  if (model.boolean_or("byte_fallback", false)) {
    unsupported(model, "has byte_fallback, which byte-level BPE does not use");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.string_or(key, "").empty()) unsupported(model.at(key), "must be empty");
  }
  if (const auto dropout = model.find("dropout")) {
    if (!dropout->value().is_number() || dropout->value().get<double>() != 0.0) {
      unsupported(*dropout, "must be 0");
    }
  }
}

std::vector<std::string> parse_vocabulary(const JsonField& field) {
  std::vector<std::string> spellings;
  for (const auto& [spelling, value] : field.object().items()) {
    const bool is_id = value.is_number_unsigned() &&
                       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxTokenId);
    if (!is_id) {
      field.fail(fmt::format("gives \"{}\" the id {}; ids go from 0 to {}", spelling,
                             value.is_primitive() ? value.dump() : value.type_name(), kMaxTokenId));
    }
    if (spelling.empty()) field.fail("has an entry without text");
    const auto id = value.get<std::size_t>();
    if (id >= spellings.size()) spellings.resize(id + 1);
    if (!spellings[id].empty()) {
      field.fail(
          fmt::format("gives \"{}\" and \"{}\" the same id {}", spellings[id], spelling, id));
    }
    spellings[id] = spelling;
  }
  return spellings;
}

IdsBySpelling index_spellings(const std::vector<std::string>& spellings) {
  IdsBySpelling ids;
  ids.reserve(spellings.size());
  for (std::size_t id = 0; id < spellings.size(); ++id) {
    if (!spellings[id].empty()) ids.emplace(spellings[id], static_cast<std::int32_t>(id));
  }
  return ids;
}

// A merge is a pair of spellings, or both in one string with a space between.
std::pair<std::string_view, std::string_view> merge_parts(const nlohmann::json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  if (!merge.is_string()) return {};
  const std::string_view both = merge.get_ref<const std::string&>();
  const std::size_t space = both.find(' ');
  if (space == std::string_view::npos || both.find(' ', space + 1) != both.npos) return {};
  return {both.substr(0, space), both.substr(space + 1)};
}

std::vector<Merge> parse_merges(const JsonField& field, const IdsBySpelling& ids) {
  std::vector<Merge> merges;
  merges.reserve(field.array().size());
  std::string joined;
  for (const auto& merge : field.array()) {
    const auto [left, right] = merge_parts(merge);
    if (left.empty() || right.empty()) {
      field.fail(
          fmt::format("has at index {} something that is not a pair of tokens", merges.size()));
    }
    joined.assign(left).append(right);
    const auto left_id = ids.find(left);
    const auto right_id = ids.find(right);
    const auto result_id = ids.find(joined);
    if (left_id == ids.end() || right_id == ids.end() || result_id == ids.end()) {
      field.fail(
          fmt::format("joins \"{}\" and \"{}\" at index {}, but the vocabulary lacks one "
                      "of them or the result",
                      left, right, merges.size()));
    }
    merges.push_back({left_id->second, right_id->second, result_id->second});
  }
  return merges;
}

void check_added_id(const JsonField& field, const AddedToken& token,
                    const std::vector<std::string>& spellings, const IdsBySpelling& ids) {
  const auto in_vocabulary = ids.find(token.text);
  const auto id = static_cast<std::size_t>(token.id);
  const bool taken = id < spellings.size() && !spellings[id].empty() && spellings[id] != token.text;
  if (taken || (in_vocabulary != ids.end() && in_vocabulary->second != token.id)) {
    field.fail(fmt::format("gives \"{}\" the id {}, but model.vocab says otherwise", token.text,
                           token.id));
  }
}

std::vector<AddedToken> parse_added_tokens(const JsonField& field,
                                           const std::vector<std::string>& spellings,
                                           const IdsBySpelling& ids) {
  std::vector<AddedToken> tokens;
  std::set<std::int32_t> taken;
  std::set<std::string, std::less<>> texts;
  for (const JsonField& element : field.elements()) {
    AddedToken token;
    token.id = static_cast<std::int32_t>(element.at("id").integer(0, kMaxTokenId));
    token.text = element.at("content").string();
    token.special = element.boolean_or("special", false);
    token.normalized = element.boolean_or("normalized", !token.special);
    token.lstrip = element.boolean_or("lstrip", false);
    token.rstrip = element.boolean_or("rstrip", false);
    token.single_word = element.boolean_or("single_word", false);
    check_added_id(element, token, spellings, ids);
    if (!texts.insert(token.text).second) element.fail("repeats an earlier token's content");
    if (!taken.insert(token.id).second) element.fail("repeats an earlier token's id");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// A token is named by its text or by an object that has it as `content`.
std::optional<std::string> named_token(const JsonField& root, const char* key) {
  const auto field = root.find(key);
  if (!field) return {};
  if (field->value().is_object()) return field->at("content").string();
  return field->string();
}

std::string required_token(const JsonField& root, const char* key) {
  auto name = named_token(root, key);
  if (!name) root.at(key).fail("is null; the model needs this token");
  return *std::move(name);
}

}  // namespace

TokenizerFile parse_tokenizer_file(std::string_view json, const std::string& name) {
  const nlohmann::json document = parse_json(json, name);
  const JsonField root(document, name);
  const JsonField model = root.at("model");
  check_model(model);
  check_decoder(root);
  if (const auto normalizer = root.find("normalizer")) check_normalizer(*normalizer);

  std::vector<std::string> spellings = parse_vocabulary(model.at("vocab"));
  const IdsBySpelling ids = index_spellings(spellings);
  std::vector<Merge> merges = parse_merges(model.at("merges"), ids);
  std::vector<AddedToken> added_tokens;
  if (const auto field = root.find("added_tokens")) {
    added_tokens = parse_added_tokens(*field, spellings, ids);
  }
  return {std::move(spellings), std::move(merges), std::move(added_tokens),
          Pretokenizer(root.at("pre_tokenizer")), model.boolean_or("ignore_merges", false)};
}

TokenizerConfig parse_tokenizer_config(std::string_view json, const std::string& name) {
  const nlohmann::json document = parse_json(json, name);
  const JsonField root(document, name);
  return {required_token(root, "bos_token"), required_token(root, "eos_token"),
          named_token(root, "pad_token")};
}

}  // namespace vl2
