// SPDX-License-Identifier: MIT
// vl2 info: what a model is, what it needs, and how this machine would run it.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/cpu.h"
#include "base/parallel.h"
#include "bench_counts.h"
#include "checkpoint/model_config.h"
#include "checkpoint/model_size.h"
#include "checkpoint/packed_folder.h"
#include "checkpoint/recipe.h"
#include "command.h"
#include "engine/memory_limit.h"
#include "engine/memory_need.h"
#include "engine/model_files.h"
#include "interrupt.h"
#include "kernels/attention/attention_kernel.h"
#include "kernels/kernel_set.h"
#include "model_folder.h"
#include "output.h"
#include "progress_bar.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "What a model is, and how this machine would run it";
constexpr const char* kExamples =
    "  vl2 info -m deepseek-vl2-tiny\n"
    "  vl2 info --json";

struct InfoOptions {
  std::string model;
  std::size_t context_tokens = 0;  // 0: max_position_embeddings
  bool verify = false;
  bool json = false;
};

Json vision_json(const ModelConfig& config) {
  const VisionConfig& vision = config.vision;
  return {{"image_size", vision.image_size},
          {"patch_size", vision.patch_size},
          {"width", vision.width},
          {"layers", vision.layers},
          {"heads", vision.heads},
          {"tokens_per_tile", config.tokens_per_side() * config.tokens_per_side()}};
}

Json attention_json(const LanguageConfig& language) {
  if (const auto* latent = std::get_if<LatentAttentionConfig>(&language.attention)) {
    Json json = {{"type", "latent"}, {"heads", language.num_attention_heads}};
    json["q_lora_rank"] = latent->q_lora_rank ? Json(*latent->q_lora_rank) : Json();
    json["kv_lora_rank"] = latent->kv_lora_rank;
    json["qk_nope_head_dim"] = latent->qk_nope_head_dim;
    json["qk_rope_head_dim"] = latent->qk_rope_head_dim;
    json["v_head_dim"] = latent->v_head_dim;
    return json;
  }
  const auto& plain = std::get<PlainAttentionConfig>(language.attention);
  return {{"type", "plain"},
          {"heads", language.num_attention_heads},
          {"kv_heads", plain.num_key_value_heads},
          {"head_dim", plain.head_dim}};
}

Json language_json(const LanguageConfig& language) {
  Json json = {{"layers", language.num_hidden_layers},
               {"hidden_size", language.hidden_size},
               {"vocab_size", language.vocab_size},
               {"max_position_embeddings", language.max_position_embeddings},
               {"attention", attention_json(language)}};
  if (language.moe) {
    const MoeConfig& moe = *language.moe;
    json["moe"] = {{"layers", language.moe_layer_count()},
                   {"routed_experts", moe.n_routed_experts},
                   {"experts_per_token", moe.num_experts_per_tok},
                   {"shared_experts", moe.n_shared_experts},
                   {"expert_width", moe.moe_intermediate_size}};
  }
  return json;
}

Json parameters_json(const ModelConfig& config) {
  const ModelSize size = model_size(config);
  return {{"total", size.total()},
          {"vision", size.vision},
          {"projector", size.projector},
          {"language", size.language},
          {"routed_experts", size.routed_experts},
          {"active_per_token", size.active_per_token}};
}

Json memory_json(const ModelConfig& config, std::size_t context) {
  Json json;
  for (const Recipe recipe : kAllRecipes) {
    const MemoryNeed need =
        memory_need(config, {.recipe = recipe,
                             .context_tokens = context,
                             .threads = static_cast<std::size_t>(ThreadTeam().size())});
    json[std::string(to_string(recipe))] = {
        {"weight_bytes", need.weights},
        {"kv_bytes_per_token", kv_bytes_per_token(config.language, recipe)},
        {"kv_bytes_of_context", need.kv_cache},
        {"activation_bytes", need.activations},
        {"picture_bytes", need.pictures},
        {"program_bytes", need.program},
        {"peak_bytes", need.total()}};
  }
  return json;
}

Json machine_json() {
  Json json = {{"cpu", cpu_name()}, {"threads", ThreadTeam().size()}};
  const MemoryThere memory = memory_there();
  json["memory_bytes"] = memory.limit_bytes;
  json["memory_free_bytes"] = memory.free_bytes;
  for (const Isa isa : cpu_isas()) json["instruction_sets"].push_back(to_string(isa));
  json["chosen"] = to_string(chosen_isa());
  for (const Operand operand : {Operand::bf16, Operand::f32}) {
    const KernelSet kernels = KernelSet::of(chosen_isa(), operand);
    json["kernels"][operand == Operand::f32 ? "f32" : "bf16"] = {
        {"matmul", kernels.matmul->name},
        {"attention", kernels.attention->name},
        {"rowwise", kernels.rowwise->name}};
  }
  return json;
}

std::string attention_text(const Json& attention) {
  if (attention["type"] == "plain") {
    return fmt::format("multi-head attention, {} heads of {}", attention["heads"].get<int>(),
                       attention["head_dim"].get<int>());
  }
  return fmt::format("latent attention, {} heads, latent of {} + {} rotated",
                     attention["heads"].get<int>(), attention["kv_lora_rank"].get<int>(),
                     attention["qk_rope_head_dim"].get<int>());
}

std::string model_text(const Json& info) {
  const Json& vision = info["vision"];
  const Json& language = info["language"];
  std::string text = fmt::format(
      "{}{}\n"
      "  vision      {} layers of {}, {} heads, tiles of {}x{} in patches of {}, {} tokens a tile\n"
      "  language    {} layers of {}, vocabulary {}, context {}\n"
      "              {}\n",
      info["model"].get<std::string>(),
      info["packed"].is_null() ? "" : ", packed as " + info["packed"].get<std::string>(),
      vision["layers"].get<int>(), vision["width"].get<int>(), vision["heads"].get<int>(),
      vision["image_size"].get<int>(), vision["image_size"].get<int>(),
      vision["patch_size"].get<int>(), vision["tokens_per_tile"].get<int>(),
      language["layers"].get<int>(), language["hidden_size"].get<int>(),
      language["vocab_size"].get<int>(), language["max_position_embeddings"].get<int>(),
      attention_text(language["attention"]));
  if (language.contains("moe")) {
    const Json& moe = language["moe"];
    text += fmt::format("              {} of {} routed experts of {} and {} shared, in {} layers\n",
                        moe["experts_per_token"].get<int>(), moe["routed_experts"].get<int>(),
                        moe["expert_width"].get<int>(), moe["shared_experts"].get<int>(),
                        moe["layers"].get<int>());
  }
  const auto millions = [&](const char* what) {
    return info["parameters"][what].get<double>() / 1e6;
  };
  text += fmt::format(
      "  parameters  {:.2f} M: vision {:.2f} M, projector {:.2f} M, language {:.2f} M\n"
      "              {:.2f} M of the language model work on a token\n",
      millions("total"), millions("vision"), millions("projector"), millions("language"),
      millions("active_per_token"));
  text += fmt::format("  memory      with {} tokens of context in use\n",
                      info["context_tokens"].get<std::size_t>());
  for (const auto& [format, need] : info["memory"].items()) {
    const auto megabytes = [&](const char* what) { return need[what].get<double>() / 1e6; };
    text += fmt::format(
        "    {:8}  {:8.1f} MB at the peak: weights {:.1f}, cache {:.1f}, activations {:.1f}, "
        "the rest {:.1f}\n",
        format, megabytes("peak_bytes"), megabytes("weight_bytes"),
        megabytes("kv_bytes_of_context"), megabytes("activation_bytes"),
        megabytes("picture_bytes") + megabytes("program_bytes"));
  }
  return text;
}

std::string machine_text(const Json& machine) {
  std::string sets;
  for (const Json& set : machine["instruction_sets"]) {
    sets += (sets.empty() ? "" : ", ") + set.get<std::string>();
  }
  std::string text =
      fmt::format("{}\n  {} threads, {:.1f} GiB of memory, {:.1f} free\n  can run {}; {} is used\n",
                  machine["cpu"].get<std::string>(), machine["threads"].get<int>(),
                  machine["memory_bytes"].get<double>() / (1 << 30),
                  machine["memory_free_bytes"].get<double>() / (1 << 30), sets,
                  machine["chosen"].get<std::string>());
  for (const auto& [format, kernels] : machine["kernels"].items()) {
    text +=
        fmt::format("  {:4} kernels: {}, {}, {}\n", format, kernels["matmul"].get<std::string>(),
                    kernels["attention"].get<std::string>(), kernels["rowwise"].get<std::string>());
  }
  return text;
}

// Every byte of a packed folder; Error names what is damaged.
void verify(const std::filesystem::path& folder) {
  std::optional<PackedDescription> description = read_packed_description(folder);
  if (!description)
    throw UsageError("--verify is for folders that vl2 quantize made; this one has no checksums");
  catch_interrupts();
  ProgressBar bar;
  PackedFolder(folder, *std::move(description)).verify([&bar](std::size_t done, std::size_t total) {
    bar.show("checking         ", done, total);
    return !interrupted();
  });
}

int info(const InfoOptions& options) {
  const std::filesystem::path folder = find_model(options.model);
  if (options.verify) verify(folder);
  const ModelConfig config = load_model_config(folder);
  const auto packed = read_packed_description(folder);
  const std::size_t context = context_of(config, options.context_tokens);
  const Json json = {{"model", folder.string()},
                     {"packed", packed ? Json(to_string(packed->recipe)) : Json()},
                     {"vision", vision_json(config)},
                     {"language", language_json(config.language)},
                     {"parameters", parameters_json(config)},
                     {"context_tokens", context},
                     {"memory", memory_json(config, context)},
                     {"machine", machine_json()}};
  if (options.json) {
    write_json(json);
  } else {
    write_output(model_text(json) + machine_text(json["machine"]));
  }
  return kExitFine;
}

}  // namespace

void add_info_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = program.add_subcommand("info", kDescription);
  command->footer(kExamples);
  add_model_option(*command, options->model);
  command
      ->add_option("--context", options->context_tokens,
                   "Tokens of prompt and answer to predict the memory for; 0: what the model was "
                   "made for")
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--verify", options->verify,
                    "First read all of a packed folder and compare its checksums");
  command->add_flag("--json", options->json, "One JSON object; sizes in bytes");
  command->callback([options, &action] { action = [options] { return info(*options); }; });
}

}  // namespace vl2
