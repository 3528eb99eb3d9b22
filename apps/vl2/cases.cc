// SPDX-License-Identifier: MIT
#include "cases.h"

#include <limits>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/mapped_file.h"
#include "text/json_field.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> optional_string(const JsonField& field, const char* key) {
  const auto member = field.find(key);
  return member ? std::optional(member->string()) : std::nullopt;
}

std::optional<std::vector<std::int32_t>> optional_ids(const JsonField& field, const char* key) {
  const auto member = field.find(key);
  if (!member) return {};
  std::vector<std::int32_t> ids;
  for (const JsonField& id : member->elements()) {
    ids.push_back(
        static_cast<std::int32_t>(id.integer(0, std::numeric_limits<std::int32_t>::max())));
  }
  return ids;
}

Case parse_case(const std::string& line, const fs::path& file, const std::string& where) {
  const nlohmann::json json = parse_json(line, where, ErrorCode::invalid_argument);
  const JsonField field(json, where, ErrorCode::invalid_argument);
  Case one;
  one.where = where;
  one.task = field.string_or("task", file.stem().string());
  one.prompt = field.at("prompt").string();
  one.expected = optional_string(field, "expected");
  one.output = optional_string(field, "output");
  one.output_ids = optional_ids(field, "output_ids");
  const auto images = field.find("images");
  if (!images) return one;
  for (const JsonField& image : images->elements()) {
    one.images.push_back(file.parent_path() / image.string());
    std::error_code ignored;
    if (!fs::exists(one.images.back(), ignored)) {
      throw Error(ErrorCode::not_found,
                  fmt::format("{}: there is no picture {}", where, one.images.back().string()));
    }
  }
  return one;
}

}  // namespace

void add_cases_option(CLI::App& command, std::vector<fs::path>& files) {
  command
      .add_option("CASES", files,
                  "Files of questions, one JSON object a line: prompt, images, expected, output, "
                  "output_ids, task")
      ->required()
      ->type_name("");
}

std::vector<Case> load_cases(std::span<const fs::path> files) {
  std::vector<Case> cases;
  for (const fs::path& file : files) {
    const std::size_t before = cases.size();
    std::istringstream lines(read_text_file(file));
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      cases.push_back(parse_case(line, file, fmt::format("{} line {}", file.string(), number)));
    }
    if (cases.size() == before) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} has no questions; give one JSON object a line", file.string()));
    }
  }
  return cases;
}

std::vector<Message> question_of(const Case& one) {
  Message message{Role::user, one.prompt, {}};
  for (const fs::path& image : one.images) {
    try {
      message.images.push_back(load_image(image));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: {}", one.where, error.what()));
    }
  }
  return {std::move(message)};
}

}  // namespace vl2
