// SPDX-License-Identifier: MIT
// The program: picks the subcommand and turns what it throws into one line and an exit code.
#include <csignal>
#include <exception>
#include <memory>
#include <new>

#include <fmt/format.h>

#include "vl2/error.h"

#include "command.h"
#include "help_formatter.h"
#include "output.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "DeepSeek-VL2 on the CPU: ask questions about pictures";

constexpr const char* kExamples =
    "  vl2 run -i receipt.png \"How many items are there?\"\n"
    "  vl2 run -i photo.jpg                                  a chat about it\n"
    "  vl2 run -i street.jpg --draw found.png \"<|ref|>the red car<|/ref|>.\"\n"
    "\n"
    "Answers go to standard output, everything else to standard error.\n"
    "Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 interrupted.";

// The path of names down to the subcommand that was parsed, for hints: "vl2 run".
std::string command_line_name(const CLI::App& program) {
  std::string name = "vl2";
  for (const CLI::App* command : program.get_subcommands()) name += " " + command->get_name();
  return name;
}

int parse_and_run(CLI::App& program, const Action& action, int argc, char** argv) {
  try {
    program.parse(argc, argv);
    return action();
  } catch (const CLI::CallForHelp&) {
    write_output(program.help());
    return kExitFine;
  } catch (const CLI::CallForVersion& version) {
    write_output(fmt::format("{}\n", version.what()));
    return kExitFine;
  } catch (const CLI::RequiredError& error) {
    const std::vector<std::string> unknown = program.remaining();
    if (!program.get_subcommands().empty() || unknown.empty())
      write_note(fmt::format("{} (see {} --help)", error.what(), command_line_name(program)));
    else
      write_note(fmt::format("there is no {} \"{}\" (see vl2 --help)",
                             unknown[0].starts_with('-') ? "option" : "command", unknown[0]));
    return kExitWrongUsage;
  } catch (const CLI::ParseError& error) {
    write_note(fmt::format("{} (see {} --help)", error.what(), command_line_name(program)));
    return kExitWrongUsage;
  } catch (const UsageError& error) {
    write_note(fmt::format("{} (see {} --help)", error.what(), command_line_name(program)));
    return kExitWrongUsage;
  }
}

int run_program(int argc, char** argv) {
  CLI::App program(kDescription, "vl2");
  program.set_version_flag("--version", "vl2 " VL2_VERSION, "Print the version");
  program.set_help_flag("-h,--help", "Print this help");
  program.require_subcommand(1);
  program.footer(kExamples);
  program.formatter(std::make_shared<HelpFormatter>());
  Action action;
  add_run_command(program, action);
  add_serve_command(program, action);
  add_bench_command(program, action);
  add_eval_command(program, action);
  add_compare_command(program, action);
  add_info_command(program, action);
  add_quantize_command(program, action);
  add_tokenize_command(program, action);
  add_preprocess_command(program, action);
  return parse_and_run(program, action, argc, argv);
}

}  // namespace
}  // namespace vl2

int main(int argc, char** argv) {
  // A closed pipe is an error of write(), so that half-written files are cleaned up.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // likewise a file that grows beyond its limit
  try {
    return vl2::run_program(argc, argv);
  } catch (const vl2::OutputClosed&) {
    return vl2::kExitFine;
  } catch (const vl2::Error& error) {
    if (error.code() == vl2::ErrorCode::cancelled) return vl2::kExitInterrupted;
    vl2::write_note(error.what());
  } catch (const std::bad_alloc&) {
    vl2::write_note("there is not enough memory");
  } catch (const std::exception& error) {
    vl2::write_note(fmt::format("this should not have happened: {}", error.what()));
  }
  return vl2::kExitFailed;
}
