// SPDX-License-Identifier: MIT
// vl2 tokenize: text to token ids and back.
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "checkpoint/model_config.h"
#include "command.h"
#include "engine/prompt_input.h"
#include "image/tiling.h"
#include "model_folder.h"
#include "output.h"
#include "text/chat_template.h"
#include "text/conversation_json.h"
#include "text/tokenizer.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "Text or conversations to token ids, and back";
constexpr const char* kExamples =
    "  echo \"How many stars?\" | vl2 tokenize\n"
    "  vl2 tokenize --conversation chat.json --json\n"
    "  echo \"0 1278 28\" | vl2 tokenize --decode";

struct TokenizeOptions {
  std::string model;
  fs::path conversation;
  bool decode = false;
  bool json = false;
};

std::string read_all_input() {
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (std::cin.bad()) throw Error(ErrorCode::io, "cannot read standard input");
  return text;
}

// Numbers between anything that is no number: "1 2", "[1, 2]", one a line.
std::vector<std::int32_t> parse_ids(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n,[]";
  std::vector<std::int32_t> ids;
  for (std::size_t at = text.find_first_not_of(kBetween); at < text.size();
       at = text.find_first_not_of(kBetween, at)) {
    const std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    std::int32_t id = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || rest != word.data() + word.size() || id < 0) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("\"{}\" is no token id; --decode takes numbers from 0 to 2147483647", word));
    }
    ids.push_back(id);
    at = end;
  }
  return ids;
}

// What each picture of the conversation takes in the prompt.
std::vector<std::size_t> picture_tokens(const Conversation& conversation,
                                        const ModelConfig& config) {
  const TilingOptions tiling = tiling_options(config, conversation.images.size());
  std::vector<std::size_t> tokens;
  for (const fs::path& path : conversation.images) {
    const PreparedImage prepared = prepare_image(load_image(path), tiling);
    tokens.push_back(image_token_count(prepared.grid, config.tokens_per_side()));
  }
  return tokens;
}

Prompt conversation_prompt(const Tokenizer& tokenizer, const fs::path& folder,
                           const fs::path& file) {
  const ModelConfig config = load_model_config(folder);
  const Conversation conversation = load_conversation(file);
  const std::vector<std::size_t> pictures = picture_tokens(conversation, config);
  try {
    return build_prompt(tokenizer, conversation.turns, pictures);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", file.string(), error.what()));
  }
}

// One line a token: its id and its text, quoted so that blanks and line breaks show.
std::string table_of(const Tokenizer& tokenizer, std::span<const std::int32_t> ids) {
  std::string table;
  for (const std::int32_t id : ids) {
    const Json piece = std::string(tokenizer.bytes(id));
    table +=
        fmt::format("{:7}  {}\n", id, piece.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return table;
}

void write_prompt(const Tokenizer& tokenizer, const Prompt& prompt, bool json) {
  if (!json) {
    write_output(table_of(tokenizer, prompt.ids));
    return;
  }
  Json pieces = Json::array();
  for (const std::int32_t id : prompt.ids) pieces.push_back(std::string(tokenizer.bytes(id)));
  Json pictures = Json::array();
  for (const PictureSpan& span : prompt.pictures) {
    pictures.push_back({{"image", span.picture}, {"first", span.first}, {"count", span.count}});
  }
  write_json({{"ids", prompt.ids}, {"pieces", pieces}, {"images", pictures}});
}

int tokenize(const TokenizeOptions& options) {
  if (options.decode && !options.conversation.empty()) {
    throw UsageError("--decode and --conversation exclude each other");
  }
  const fs::path folder = find_model(options.model);
  const Tokenizer tokenizer = Tokenizer::load(folder);
  if (options.decode) {
    const std::string text = tokenizer.decode(parse_ids(read_all_input()));
    if (options.json) {
      write_json({{"text", text}});
    } else {
      write_output(text + "\n");
    }
    return kExitFine;
  }
  const Prompt prompt = options.conversation.empty()
                            ? Prompt{tokenizer.encode(read_all_input()), {}, {}}
                            : conversation_prompt(tokenizer, folder, options.conversation);
  write_prompt(tokenizer, prompt, options.json);
  return kExitFine;
}

}  // namespace

void add_tokenize_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = program.add_subcommand("tokenize", kDescription);
  command->footer(kExamples);
  add_model_option(*command, options->model);
  command
      ->add_option("--conversation", options->conversation,
                   "A conversation in the original's form, as the model will see it")
      ->type_name("FILE");
  command->add_flag("--decode", options->decode, "The reverse: ids to text");
  command->add_flag("--json", options->json, "One JSON object: ids, pieces, images");
  command->callback([options, &action] { action = [options] { return tokenize(*options); }; });
}

}  // namespace vl2
