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
#include "bench_samples.h"
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
    "Figures are medians of samples; the machine's limits are measured before and after\n"
    "each sample, and the shares are medians too. Only arithmetic and bytes that the\n"
    "model cannot do without are counted.";

constexpr std::size_t kTiles = 2;  // RuntimeOptions::tiles_at_once
constexpr std::size_t kGeneratedTokens = 64;
constexpr std::size_t kPieceTokens = 16;
constexpr std::size_t kStreams = 8;

struct BenchOptions {
  std::string model;
  std::string shape;
  std::vector<std::string> only;
  std::string weights = "auto";
  std::string vision = "bf16";
  std::size_t prompt_tokens = 2048;
  std::size_t context_tokens = 512;
  int threads = 0;
  int repeat = 5;
  bool realtime = false;
  bool serve = false;
  bool json = false;

  bool wants(const std::string& part) const {
    return only.empty() || std::find(only.begin(), only.end(), part) != only.end();
  }
  std::size_t positions() const {
    return std::max(prompt_tokens, context_tokens + kGeneratedTokens);
  }
};

LoadedModel load(const BenchOptions& options, const ThreadTeam& team) {
  ProgressBar bar;
  LoadOptions load_options;
  load_options.recipe = recipe_wanted(options.weights);
  load_options.integer_vision = integer_vision_wanted(options.vision);
  load_options.context_tokens = options.serve ? kServeContextTokens : options.positions();
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

// What every part is measured with.
struct Bench {
  const BenchOptions& options;
  const LoadedModel& loaded;
  const SpeedMeter& meter;
  BenchModel& model;

  const ModelConfig& config() const { return loaded.config(); }
};

Json machine_json(const ThreadTeam& team, Operand operand, const MachineLimits& limits) {
  return {{"cpu", cpu_name()},
          {"instruction_set", to_string(chosen_isa())},
          {"threads", team.size()},
          {"operand", operand == Operand::f32 ? "f32" : "bf16"},
          {"peak_flops_per_second", limits.flops_per_second},
          {"read_bytes_per_second", limits.read_bytes_per_second}};
}

std::string machine_text(const Json& machine) {
  return fmt::format("{}, {}, {} threads: {} peak {:.3f} TFLOP/s, read bandwidth {:.1f} GB/s\n",
                     machine["cpu"].get<std::string>(),
                     machine["instruction_set"].get<std::string>(), machine["threads"].get<int>(),
                     machine["operand"].get<std::string>(),
                     machine["peak_flops_per_second"].get<double>() / 1e12,
                     machine["read_bytes_per_second"].get<double>() / 1e9);
}

Json arithmetic_json(Json part, const Figures& figures) {
  part["flops_per_second"] = figures.rate;
  part["peak_flops_per_second"] = figures.limit;
  part["share_of_peak"] = figures.share;
  return part;
}

std::string arithmetic_text(const Json& part) {
  return fmt::format("{:.3f} of {:.3f} TFLOP/s, {:.0f} %",
                     part["flops_per_second"].get<double>() / 1e12,
                     part["peak_flops_per_second"].get<double>() / 1e12,
                     100 * part["share_of_peak"].get<double>());
}

Json bench_vision(const Bench& bench) {
  const double flops = vision_flops_per_tile(bench.config());
  const Piece piece{flops * kTiles, [&] { return bench.model.encode_tiles(kTiles); }};
  const Figures figures = bench.meter.measure(Bound::arithmetic, {&piece, 1});
  return arithmetic_json({{"tiles", kTiles},
                          {"activations", bench.options.vision},
                          {"seconds_per_tile", figures.seconds / kTiles},
                          {"flops_per_tile", flops}},
                         figures);
}

Json bench_prompt(const Bench& bench) {
  const std::size_t tokens = bench.options.prompt_tokens;
  const double flops = language_flops(bench.config(), {0, tokens, 1});
  const Piece piece{flops, [&] { return bench.model.read_prompt(tokens); }};
  const Figures figures = bench.meter.measure(Bound::arithmetic, {&piece, 1});
  return arithmetic_json({{"tokens", tokens},
                          {"seconds", figures.seconds},
                          {"tokens_per_second", static_cast<double>(tokens) / figures.seconds},
                          {"flops", flops}},
                         figures);
}

// Limits are taken every few tokens, as often as the machine's bandwidth changes.
Json bench_decode(const Bench& bench) {
  const std::size_t context = bench.options.context_tokens;
  bench.model.read_prompt(context);
  std::vector<Piece> pieces;
  double bytes = 0;
  for (std::size_t i = 0; i < kGeneratedTokens; i += kPieceTokens) {
    double amount = 0;
    for (std::size_t position = context + i; position < context + i + kPieceTokens; ++position)
      amount += bytes_per_generated_token(bench.config(), bench.loaded.model.recipe(), position);
    pieces.push_back({amount, [&, i] { return bench.model.generate(context + i, kPieceTokens); }});
    bytes += amount;
  }
  const Figures figures = bench.meter.measure(Bound::reading, pieces);
  return {{"context_tokens", context},
          {"tokens", kGeneratedTokens},
          {"seconds", figures.seconds},
          {"tokens_per_second", kGeneratedTokens / figures.seconds},
          {"bytes_per_token", bytes / kGeneratedTokens},
          {"bytes_per_second", figures.rate},
          {"read_bytes_per_second", figures.limit},
          {"share_of_bandwidth", figures.share}};
}

Json bench_streams(const Bench& bench) {
  const std::size_t context = bench.options.context_tokens;
  for (std::size_t i = 0; i < kStreams; ++i) bench.model.read_prompt(context, i);
  const Comparison times =
      bench.meter.compare([&] { return bench.model.generate(context, kPieceTokens); },
                          [&] { return bench.model.generate(context, kPieceTokens, kStreams); });
  return {{"streams", kStreams},
          {"context_tokens", context},
          {"tokens_per_second", kStreams * kPieceTokens / times.other_seconds},
          {"tokens_per_second_of_one", kPieceTokens / times.one_seconds},
          {"times_one_stream", kStreams / times.ratio}};
}

std::string vision_text(const Json& part) {
  const auto activations = part["activations"].get<std::string>();
  return fmt::format("vision    {} tiles at once, {}: {:.4f} s/tile, {} of {}peak\n",
                     part["tiles"].get<int>(), activations, part["seconds_per_tile"].get<double>(),
                     arithmetic_text(part), activations == "int8" ? "the bf16 " : "");
}

std::string prompt_text(const Json& part) {
  return fmt::format("prompt    {} tokens: {:.1f} tokens/s, {} of peak\n",
                     part["tokens"].get<int>(), part["tokens_per_second"].get<double>(),
                     arithmetic_text(part));
}

std::string decode_text(const Json& part) {
  return fmt::format(
      "decode    {} tokens after {}: {:.2f} tokens/s, {:.3f} GB a token, {:.1f} of {:.1f} GB/s, "
      "{:.0f} % of read bandwidth\n",
      part["tokens"].get<int>(), part["context_tokens"].get<int>(),
      part["tokens_per_second"].get<double>(), part["bytes_per_token"].get<double>() / 1e9,
      part["bytes_per_second"].get<double>() / 1e9,
      part["read_bytes_per_second"].get<double>() / 1e9,
      100 * part["share_of_bandwidth"].get<double>());
}

std::string streams_text(const Json& part) {
  return fmt::format("streams   {} at once after {}: {:.2f} tokens/s, {:.2f} times one stream\n",
                     part["streams"].get<int>(), part["context_tokens"].get<int>(),
                     part["tokens_per_second"].get<double>(),
                     part["times_one_stream"].get<double>());
}

struct Part {
  const char* name;
  Json (*run)(const Bench& bench);
  std::string (*text)(const Json& part);
};
constexpr Part kParts[] = {{"vision", bench_vision, vision_text},
                           {"prompt", bench_prompt, prompt_text},
                           {"decode", bench_decode, decode_text},
                           {"streams", bench_streams, streams_text}};

// Arithmetic can't be faster than the peak. Reads can: a small model stays in the caches.
void warn_if_disturbed(const Json& json) {
  for (const char* part : {"vision", "prompt"}) {
    if (!json.contains(part) || json[part]["share_of_peak"] <= 1.0) continue;
    if (json[part].value("activations", "") == "int8") continue;  // held against the bf16 peak
    write_note(
        "a share above 100 % of peak: the machine was busy when its limits were measured, "
        "so these figures say little");
    return;
  }
}

// What many users get, instead of the parts of one.
void bench_serve(const ServeBench& serve, Json& json) {
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
  const Operand operand = loaded.model.operand();
  const LimitMeter limits(chosen_isa(), operand, team);
  const SpeedMeter speed(limits, team, {options.repeat, options.realtime});
  Json json = {{"machine", machine_json(team, operand, speed.limits())},
               {"model", loaded.name},
               {"weights", to_string(loaded.model.recipe())},
               {"weight_bytes", loaded.model.weight_bytes()},
               {"repeat", options.repeat},
               {"realtime", options.realtime}};
  const auto say = [&](const std::string& text) {
    if (!options.json) write_output(text);
  };
  say(machine_text(json["machine"]));
  say(fmt::format("{}, {}, {:.2f} GB, median of {}\n", loaded.name,
                  to_string(loaded.model.recipe()),
                  static_cast<double>(loaded.model.weight_bytes()) / 1e9, options.repeat));
  if (options.serve) {
    bench_serve({loaded, team, limits, options.repeat}, json);
    say(streams_together_text(json["streams"]) + prompt_beside_text(json["prompt_beside"]));
    if (options.json) write_json(json);
    return kExitFine;
  }
  BenchModel model(loaded, team, options.positions(), options.wants("streams") ? kStreams : 1);
  for (const Part& part : kParts) {
    if (!options.wants(part.name)) continue;
    json[part.name] = part.run({options, loaded, speed, model});
    say(part.text(json[part.name]));
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
  command->add_option("--only", options->only, "vision, prompt, decode or streams; repeat for more")
      ->check(CLI::IsMember({"vision", "prompt", "decode", "streams"}))
      ->type_name("PART")
      ->allow_extra_args(false);
  command->add_option("--repeat", options->repeat, "Samples of each part")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  describe_weights_option(*command->add_option("--weights", options->weights));
  describe_vision_option(*command->add_option("--vision", options->vision));
  command->add_option("--prompt", options->prompt_tokens, "Tokens of the prompt")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--context", options->context_tokens, "Tokens before those that are generated")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--threads", options->threads, "0: all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--serve", options->serve,
                    "Many streams at once, and one beside a long prompt, as the server has them");
  command->add_flag("--realtime", options->realtime,
                    "Samples at real-time priority, so that other programs of this machine "
                    "disturb less: they stand still meanwhile");
  command->add_flag("--json", options->json, "One JSON object at the end");
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace vl2
