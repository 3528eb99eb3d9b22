// SPDX-License-Identifier: MIT
// Questions with known answers, one JSON object a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "vl2/message.h"

namespace vl2 {

struct Case {
  std::string where;  // "eval.jsonl line 3", for errors
  std::string task;   // the file's name without extension unless the line says more
  std::string prompt;
  std::vector<std::filesystem::path> images;
  std::optional<std::string> expected;                  // the right answer
  std::optional<std::string> output;                    // what a reference answered
  std::optional<std::vector<std::int32_t>> output_ids;  // the same as tokens
};

// Adds the files as the command's arguments.
void add_cases_option(CLI::App& command, std::vector<std::filesystem::path>& files);

// Lines that are empty are passed over. Paths of pictures are relative to the file. Throws
// Error{not_found, io} naming a file or picture that is not there, Error{invalid_argument} naming
// file, line and field, also when a file has no case at all.
std::vector<Case> load_cases(std::span<const std::filesystem::path> files);

// The question with its pictures. Throws Error{io, bad_image} naming picture, file and line.
std::vector<Message> question_of(const Case& one);

}  // namespace vl2
