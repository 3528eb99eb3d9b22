// SPDX-License-Identifier: MIT
// vl2 quantize: a released checkpoint becomes a folder of packed weights.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/parallel.h"
#include "checkpoint/recipe.h"
#include "command.h"
#include "engine/quantize_model.h"
#include "interrupt.h"
#include "model_folder.h"
#include "output.h"
#include "progress_bar.h"

namespace vl2 {
namespace {

constexpr const char* kDescription =
    "Pack a released model: a fraction of the memory, loads at once";
constexpr const char* kExamples =
    "  vl2 quantize deepseek-vl2-small small-int4 --recipe int4\n"
    "  vl2 run -m small-int4 -i photo.jpg\n"
    "\n"
    "Until all is written the folder is called OUT.partial. After an interruption the same\n"
    "command goes on where it was.";

struct Options {
  std::string in;
  std::string out;
  std::string recipe = "int4";
  int threads = 0;
  std::size_t shard_mib = 1024;
  bool json = false;
};

int quantize(const Options& options) {
  catch_interrupts();
  QuantizeReport report;
  {
    ProgressBar bar;
    QuantizeOptions wanted;
    wanted.recipe = recipe_from(options.recipe);
    wanted.team = ThreadTeam(options.threads);
    wanted.shard_bytes = options.shard_mib << 20;
    wanted.progress = [&bar](std::size_t done, std::size_t total) {
      bar.show("quantizing       ", done, total);
      return !interrupted();
    };
    report = quantize_model(find_model(options.in), options.out, wanted);
  }
  if (options.json) {
    write_json({{"folder", options.out},
                {"recipe", options.recipe},
                {"weight_bytes", report.bytes},
                {"shards", report.shards},
                {"shards_before", report.shards_before}});
    return kExitFine;
  }
  const std::string before =
      report.shards_before > 0 ? fmt::format(", {} of them by an earlier run", report.shards_before)
                               : "";
  write_output(fmt::format("{}: {}, {:.2f} GB in {} {}{}\n", options.out, options.recipe,
                           static_cast<double>(report.bytes) / 1e9, report.shards,
                           report.shards == 1 ? "shard" : "shards", before));
  return kExitFine;
}

}  // namespace

void add_quantize_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("quantize", kDescription);
  command->footer(kExamples);
  command->add_option("IN", options->in, "Folder of a released model, as downloaded")
      ->required()
      ->type_name("");
  command->add_option("OUT", options->out, "Folder to make; must not exist")
      ->required()
      ->type_name("");
  const auto names = recipe_names();
  command->add_option("--recipe", options->recipe, "f32, bf16, int8, int4 or int4-max")
      ->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())))
      ->capture_default_str()
      ->type_name("RECIPE");
  command->add_option("--shard-size", options->shard_mib, "Of the files of weights, in MiB")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20))
      ->capture_default_str()
      ->type_name("MIB");
  command->add_option("--threads", options->threads, "0: all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--json", options->json, "One JSON object; sizes in bytes");
  command->callback([options, &action] { action = [options] { return quantize(*options); }; });
}

}  // namespace vl2
