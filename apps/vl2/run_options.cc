// SPDX-License-Identifier: MIT
#include "run_options.h"

#include <limits>

#include "command.h"
#include "model_folder.h"

namespace vl2 {
namespace {

// Counts of tokens from `least` on, as large as anyone may wish: the engine has the last word.
CLI::Range count_from(std::size_t least) {
  return {least, std::numeric_limits<std::size_t>::max() / 2};
}

void add_input_options(CLI::App& command, RunOptions& options) {
  command
      .add_option("prompt", options.prompt,
                  "The question; - reads it from standard input. Without one: a chat")
      ->type_name("");
  add_model_option(command, options.model);
  command
      .add_option("-i,--image", options.images,
                  "A picture (JPEG, PNG, WebP, GIF, BMP); repeat for more")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--system", options.system, "Instructions, before all else")
      ->type_name("TEXT");
  command
      .add_option("--conversation", options.conversation,
                  "A conversation in the original's form (JSON: role, content, images); a prompt "
                  "is asked after it")
      ->type_name("FILE");
}

void add_output_options(CLI::App& command, RunOptions& options) {
  command.add_flag("--json", options.json, "One JSON object instead of text");
  command
      .add_option("--logprobs", options.generation.logprobs,
                  "With --json: the N most probable tokens at each step")
      ->type_name("N")
      ->check(CLI::Range(0, 1000));
  command
      .add_option("--draw", options.draw,
                  "Draw the answer's boxes on the picture, as PNG. Further pictures get "
                  "FILE-2.png, FILE-3.png, ...")
      ->type_name("FILE.png");
}

void add_sampling_options(CLI::App& command, GenerationOptions& options) {
  const std::string group = "Answers";
  command.add_option("-n,--max-tokens", options.max_tokens, "Longest answer")
      ->check(count_from(0))
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command
      .add_option("--temperature", options.temperature,
                  "0: always the most probable token, so the same answer every time")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str()
      ->type_name("T")
      ->group(group);
  command.add_option("--top-k", options.top_k, "Choose among the K most probable; 0: all")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()))
      ->capture_default_str()
      ->type_name("K")
      ->group(group);
  command.add_option("--top-p", options.top_p, "Choose among those that make up P of all chance")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->type_name("P")
      ->group(group);
  command.add_option("--min-p", options.min_p, "Leave out those below P times the best one's")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->type_name("P")
      ->group(group);
  command
      .add_option("--repetition-penalty", options.repetition_penalty,
                  "Above 1: tokens that came before become less likely")
      ->check(CLI::Range(0.01, 100.0))
      ->capture_default_str()
      ->type_name("X")
      ->group(group);
  command
      .add_option("--no-repeat-ngram-size", options.no_repeat_ngram_size,
                  "No N tokens in a row come twice; 0: off")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command.add_option("--seed", options.seed, "Of the dice, with a temperature above 0")
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command.add_option("--stop", options.stop, "End the answer before this text; repeat for more")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
}

}  // namespace

void add_engine_options(CLI::App& command, EngineOptions& options) {
  const std::string group = "Engine";
  describe_weights_option(*command.add_option("--weights", options.weights)->group(group));
  describe_vision_option(*command.add_option("--vision", options.vision)->group(group));
  command.add_option("--threads", options.threads, "0: all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command
      .add_option("--context", options.context_tokens,
                  "Most tokens of prompt and answer; 0: what the model was made for")
      ->check(count_from(0))
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
  command
      .add_option("--chunk-size", options.chunk_tokens,
                  "Read the prompt in steps of N tokens: less memory, same answer")
      ->check(count_from(1))
      ->capture_default_str()
      ->type_name("N")
      ->group(group);
}

void add_run_options(CLI::App& command, RunOptions& options) {
  add_input_options(command, options);
  add_output_options(command, options);
  add_sampling_options(command, options.generation);
  add_engine_options(command, options.engine);
}

void check_run_options(const RunOptions& options) {
  const bool chat = !options.prompt && options.conversation.empty();
  if (chat && options.json) throw UsageError("--json needs a prompt");
  if (options.generation.logprobs > 0 && !options.json) throw UsageError("--logprobs needs --json");
  if (!options.conversation.empty() && !options.prompt && !options.images.empty()) {
    throw UsageError("-i with --conversation needs a prompt; the file names its own pictures");
  }
}

}  // namespace vl2
