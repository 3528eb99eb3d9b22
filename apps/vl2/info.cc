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

Json memory_json(const ModelConfig& config) {
  Json json;
  const auto context = static_cast<std::size_t>(config.language.max_position_embeddings);
  for (const Recipe recipe : kAllRecipes) {
    const std::size_t a_token = kv_bytes_per_token(config.language, recipe);
    json[std::string(to_string(recipe))] = {
        {"weight_bytes", estimated_weight_bytes(config, recipe)},
        {"kv_bytes_per_token", a_token},
        {"kv_bytes_of_context", context * a_token}};
  }
  return json;
}

Json machine_json() {
  Json json = {{"cpu", cpu_name()}, {"threads", ThreadTeam().size()}};
  json["memory_bytes"] = memory_limit_bytes();
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
  for (const auto& [format, need] : info["memory"].items()) {
    text += fmt::format(
        "  as {:8} {:.1f} MB of weights; cache of {:.2f} KB a token, {:.1f} MB for {} tokens\n",
        format, need["weight_bytes"].get<double>() / 1e6,
        need["kv_bytes_per_token"].get<double>() / 1e3,
        need["kv_bytes_of_context"].get<double>() / 1e6,
        language["max_position_embeddings"].get<int>());
  }
  return text;
}

std::string machine_text(const Json& machine) {
  std::string sets;
  for (const Json& set : machine["instruction_sets"]) {
    sets += (sets.empty() ? "" : ", ") + set.get<std::string>();
  }
  std::string text =
      fmt::format("{}\n  {} threads, {:.1f} GiB of memory\n  can run {}; {} is used\n",
                  machine["cpu"].get<std::string>(), machine["threads"].get<int>(),
                  machine["memory_bytes"].get<double>() / (1 << 30), sets,
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
  const Json json = {{"model", folder.string()},
                     {"packed", packed ? Json(to_string(packed->recipe)) : Json()},
                     {"vision", vision_json(config)},
                     {"language", language_json(config.language)},
                     {"parameters", parameters_json(config)},
                     {"memory", memory_json(config)},
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
  command->add_flag("--verify", options->verify,
                    "First read all of a packed folder and compare its checksums");
  command->add_flag("--json", options->json, "One JSON object; sizes in bytes");
  command->callback([options, &action] { action = [options] { return info(*options); }; });
}

}  // namespace vl2
