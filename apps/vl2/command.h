// SPDX-License-Identifier: MIT
// What main.cc and the subcommands agree on.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

namespace vl2 {

inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongUsage = 2;
inline constexpr int kExitInterrupted = 130;  // 128 + SIGINT, as shells report it

// Thrown for options that contradict each other; options that are wrong by themselves are CLI11's.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the chosen subcommand does; returns the program's exit code. May throw UsageError,
// OutputClosed (output.h) and any std::exception.
using Action = std::function<int()>;

// Each adds its subcommand to `program`. Parsing that subcommand sets `action`, which must outlive
// the parsing.
void add_run_command(CLI::App& program, Action& action);
void add_serve_command(CLI::App& program, Action& action);
void add_bench_command(CLI::App& program, Action& action);
void add_eval_command(CLI::App& program, Action& action);
void add_compare_command(CLI::App& program, Action& action);
void add_info_command(CLI::App& program, Action& action);
void add_quantize_command(CLI::App& program, Action& action);
void add_tokenize_command(CLI::App& program, Action& action);
void add_preprocess_command(CLI::App& program, Action& action);

}  // namespace vl2
