// SPDX-License-Identifier: MIT
// What `vl2 run` was asked for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "vl2/engine.h"

namespace vl2 {

struct RunOptions {
  std::string model;                  // empty: the default one
  std::optional<std::string> prompt;  // nothing: a chat, or the conversation's own question
  std::vector<std::filesystem::path> images;
  std::filesystem::path conversation;  // empty: none
  std::string system;                  // empty: none
  std::filesystem::path draw;          // empty: nothing is drawn
  bool json = false;
  EngineOptions engine;  // without model and progress
  GenerationOptions generation;
};

// Adds the options and their checks. `options` must outlive the parsing.
void add_run_options(CLI::App& command, RunOptions& options);

// The part of them that says how the model is held and run.
void add_engine_options(CLI::App& command, EngineOptions& options);

// Throws UsageError for options that contradict each other.
void check_run_options(const RunOptions& options);

}  // namespace vl2
