// SPDX-License-Identifier: MIT
// vl2 bench: how fast, and what share of the machine's own limits that is.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/cpu.h"
#include "base/parallel.h"
#include "bench_counts.h"
#include "bench_model.h"
#include "bench_serve.h"
#include "command.h"
#include "engine/model_files.h"
#include "engine/model_shapes.h"
#include "interrupt.h"
#include "kernels/limits/limits.h"
#include "model_folder.h"
#include "output.h"
#include "progress_bar.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "Speed, as a share of what the machine can do";
constexpr const char* kExamples =
    "  vl2 bench --shape tiny\n"
    "  vl2 bench -m deepseek-vl2-small --only decode --threads 8\n"
    "  vl2 bench --shape tiny --weights int8 --serve\n"
    "\n"
    "With --shape the weights are random numbers in memory: nothing is downloaded.\n"
    "Figures are medians. Only arithmetic and bytes that the model cannot do without\n"
    "are counted; the machine's limits are measured in the same run.";

constexpr std::size_t kTiles = 10;
constexpr std::size_t kPromptTokens = 2048;
constexpr std::size_t kContextTokens = 512;
constexpr std::size_t kGeneratedTokens = 64;

struct BenchOptions {
  std::string model;
  std::string shape;
  std::vector<std::string> only;
  std::string weights = "auto";
  int threads = 0;
  int repeat = 5;
  bool serve = false;
  bool json = false;

  bool wants(const std::string& part) const {
    return only.empty() || std::find(only.begin(), only.end(), part) != only.end();
  }
};

struct Limits {
  double flops = 0;  // a second
  double bytes = 0;  // read a second
};

double median_seconds(int repeat, const std::function<double()>& measure) {
  measure();  // touches memory and fills tables that later runs find ready
  std::vector<double> seconds;
  for (int i = 0; i < repeat; ++i) {
    if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
    seconds.push_back(measure());
  }
  std::sort(seconds.begin(), seconds.end());
  const std::size_t middle = seconds.size() / 2;
  return seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
}

LoadedModel load(const BenchOptions& options, const ThreadTeam& team) {
  ProgressBar bar;
  LoadOptions load_options;
  load_options.recipe = recipe_wanted(options.weights);
  load_options.context_tokens = options.serve ? kServeContextTokens : kPromptTokens;
  load_options.team = team;
  load_options.progress = [&bar](std::size_t done, std::size_t total) {
    bar.show({Stage::loading, done, total});
    return !interrupted();
  };
  if (!options.shape.empty()) {
    return random_model(model_shape(options.shape), options.shape + " shape, random weights",
                        load_options);
  }
  return load_model(find_model(options.model), load_options);
}

// The best of several tries some time apart: other programs only ever make a machine look slower.
Limits measure_limits(Operand operand, const ThreadTeam& team) {
  constexpr int kTries = 3;
  Limits limits;
  for (int i = 0; i < kTries; ++i) {
    limits.flops = std::max(limits.flops, measure_matmul_peak(chosen_isa(), operand, team));
    limits.bytes = std::max(limits.bytes, measure_read_bandwidth(team));
  }
  return limits;
}

Json machine_json(const ThreadTeam& team, Operand operand, const Limits& limits) {
  return {{"cpu", cpu_name()},
          {"instruction_set", to_string(chosen_isa())},
          {"threads", team.size()},
          {"operand", operand == Operand::f32 ? "f32" : "bf16"},
          {"peak_flops_per_second", limits.flops},
          {"read_bytes_per_second", limits.bytes}};
}

std::string machine_text(const Json& machine) {
  return fmt::format("{}, {}, {} threads: {} peak {:.3f} TFLOP/s, read bandwidth {:.1f} GB/s\n",
                     machine["cpu"].get<std::string>(),
                     machine["instruction_set"].get<std::string>(), machine["threads"].get<int>(),
                     machine["operand"].get<std::string>(),
                     machine["peak_flops_per_second"].get<double>() / 1e12,
                     machine["read_bytes_per_second"].get<double>() / 1e9);
}

Json bench_vision(BenchModel& bench, const ModelConfig& config, const Limits& limits, int repeat) {
  const double seconds =
      median_seconds(repeat, [&] { return bench.encode_tiles(kTiles); }) / kTiles;
  const double flops = vision_flops_per_tile(config);
  return {{"tiles", kTiles},
          {"seconds_per_tile", seconds},
          {"flops_per_tile", flops},
          {"flops_per_second", flops / seconds},
          {"share_of_peak", flops / seconds / limits.flops}};
}

Json bench_prompt(BenchModel& bench, const ModelConfig& config, const Limits& limits, int repeat) {
  const double seconds = median_seconds(repeat, [&] { return bench.read_prompt(kPromptTokens); });
  const double flops = language_flops(config, {0, kPromptTokens, 1});
  return {{"tokens", kPromptTokens},
          {"seconds", seconds},
          {"tokens_per_second", kPromptTokens / seconds},
          {"flops", flops},
          {"flops_per_second", flops / seconds},
          {"share_of_peak", flops / seconds / limits.flops}};
}

Json bench_decode(BenchModel& bench, const LoadedModel& loaded, const Limits& limits, int repeat) {
  bench.read_prompt(kContextTokens);
  const double seconds =
      median_seconds(repeat, [&] { return bench.generate(kContextTokens, kGeneratedTokens); });
  double bytes = 0;
  for (std::size_t i = 0; i < kGeneratedTokens; ++i) {
    bytes += bytes_per_generated_token(loaded.config(), loaded.model.recipe(), kContextTokens + i);
  }
  return {{"context_tokens", kContextTokens},
          {"tokens", kGeneratedTokens},
          {"seconds", seconds},
          {"tokens_per_second", kGeneratedTokens / seconds},
          {"bytes_per_token", bytes / kGeneratedTokens},
          {"bytes_per_second", bytes / seconds},
          {"share_of_bandwidth", bytes / seconds / limits.bytes}};
}

std::string vision_text(const Json& part) {
  return fmt::format("vision    {} tiles: {:.4f} s/tile, {:.3f} TFLOP/s, {:.0f} % of peak\n",
                     part["tiles"].get<int>(), part["seconds_per_tile"].get<double>(),
                     part["flops_per_second"].get<double>() / 1e12,
                     100 * part["share_of_peak"].get<double>());
}

std::string prompt_text(const Json& part) {
  return fmt::format("prompt    {} tokens: {:.1f} tokens/s, {:.3f} TFLOP/s, {:.0f} % of peak\n",
                     part["tokens"].get<int>(), part["tokens_per_second"].get<double>(),
                     part["flops_per_second"].get<double>() / 1e12,
                     100 * part["share_of_peak"].get<double>());
}

std::string decode_text(const Json& part) {
  return fmt::format(
      "decode    {} tokens after {}: {:.2f} tokens/s, {:.3f} GB a token, {:.1f} GB/s, {:.0f} % of "
      "read bandwidth\n",
      part["tokens"].get<int>(), part["context_tokens"].get<int>(),
      part["tokens_per_second"].get<double>(), part["bytes_per_token"].get<double>() / 1e9,
      part["bytes_per_second"].get<double>() / 1e9, 100 * part["share_of_bandwidth"].get<double>());
}

// Arithmetic can't be faster than the peak. Reads can: a small model stays in the caches.
void warn_if_disturbed(const Json& json) {
  for (const char* part : {"vision", "prompt"}) {
    if (!json.contains(part) || json[part]["share_of_peak"] <= 1.0) continue;
    write_note(
        "a share above 100 % of peak: the machine was busy when its limits were measured, "
        "so these figures say little");
    return;
  }
}

// What many users get, instead of the parts of one.
void bench_serve(const BenchOptions& options, const LoadedModel& loaded, const ThreadTeam& team,
                 Json& json) {
  const Operand operand = loaded.model.operand();
  const ServeBench serve{loaded, team,
                         [&] {
                           return LimitsNow{measure_matmul_peak(chosen_isa(), operand, team),
                                            measure_read_bandwidth(team)};
                         },
                         options.repeat};
  json["streams"] = bench_streams_together(serve);
  json["prompt_beside"] = bench_prompt_beside(serve);
}

int bench(const BenchOptions& options) {
  if (!options.model.empty() && !options.shape.empty()) {
    throw UsageError("-m and --shape exclude each other");
  }
  if (options.serve && options.repeat > kMostServeRepeat) {
    throw UsageError(fmt::format("--serve takes at most --repeat {}", kMostServeRepeat));
  }
  catch_interrupts();
  const ThreadTeam team(options.threads);
  const LoadedModel loaded = load(options, team);
  const ModelConfig& config = loaded.config();
  const Operand operand = loaded.model.operand();
  const Limits limits = measure_limits(operand, team);
  Json json = {{"machine", machine_json(team, operand, limits)},
               {"model", loaded.name},
               {"weights", to_string(loaded.model.recipe())},
               {"weight_bytes", loaded.model.weight_bytes()},
               {"repeat", options.repeat}};
  const auto say = [&](const std::string& text) {
    if (!options.json) write_output(text);
  };
  say(machine_text(json["machine"]));
  say(fmt::format("{}, {}, {:.2f} GB, median of {}\n", loaded.name,
                  to_string(loaded.model.recipe()),
                  static_cast<double>(loaded.model.weight_bytes()) / 1e9, options.repeat));
  if (options.serve) {
    bench_serve(options, loaded, team, json);
    say(streams_together_text(json["streams"]) + prompt_beside_text(json["prompt_beside"]));
    if (options.json) write_json(json);
    return kExitFine;
  }
  BenchModel model(loaded, team, kPromptTokens);
  if (options.wants("vision")) {
    json["vision"] = bench_vision(model, config, limits, options.repeat);
    say(vision_text(json["vision"]));
  }
  if (options.wants("prompt")) {
    json["prompt"] = bench_prompt(model, config, limits, options.repeat);
    say(prompt_text(json["prompt"]));
  }
  if (options.wants("decode")) {
    json["decode"] = bench_decode(model, loaded, limits, options.repeat);
    say(decode_text(json["decode"]));
  }
  warn_if_disturbed(json);
  if (options.json) write_json(json);
  return kExitFine;
}

}  // namespace

void add_bench_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = program.add_subcommand("bench", kDescription);
  command->footer(kExamples);
  add_model_option(*command, options->model);
  command->add_option("--shape", options->shape, "A released model's shape: tiny, small or full")
      ->check(CLI::IsMember({"tiny", "small", "full"}))
      ->type_name("SHAPE");
  command->add_option("--only", options->only, "vision, prompt or decode; repeat for more")
      ->check(CLI::IsMember({"vision", "prompt", "decode"}))
      ->type_name("PART")
      ->allow_extra_args(false);
  command->add_option("--repeat", options->repeat, "Runs of each part")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  describe_weights_option(*command->add_option("--weights", options->weights));
  command->add_option("--threads", options->threads, "0: all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--serve", options->serve,
                    "Many streams at once, and one beside a long prompt, as the server has them");
  command->add_flag("--json", options->json, "One JSON object at the end");
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace vl2
