// SPDX-License-Identifier: MIT
// vl2 run: one answer, or a chat.
#include <iostream>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "vl2/error.h"

#include "answering.h"
#include "chat.h"
#include "command.h"
#include "interrupt.h"
#include "model_folder.h"
#include "output.h"
#include "run_options.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "Answer a question about pictures, or chat";
constexpr const char* kExamples =
    "  vl2 run -i receipt.png \"How many items are there?\"\n"
    "  vl2 run -i a.jpg -i b.jpg \"Which image has more stars?\"\n"
    "  vl2 run -i street.jpg --draw found.png \"<|ref|>the red car<|/ref|>.\"\n"
    "  vl2 run -i page.png --json - < question.txt\n"
    "  vl2 run -i photo.jpg                           a chat; /help lists its commands";

std::string read_standard_input() {
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  stop_if_interrupted();
  if (std::cin.bad()) throw Error(ErrorCode::io, "cannot read standard input");
  return text;
}

Dialogue dialogue_of(const RunOptions& options) {
  Dialogue dialogue =
      options.conversation.empty() ? Dialogue() : Dialogue::load(options.conversation);
  if (!options.system.empty()) dialogue.set_system(options.system);
  if (!options.prompt) {
    if (!options.conversation.empty()) dialogue.require_open_answer();
  } else {
    dialogue.ask(*options.prompt == "-" ? read_standard_input() : *options.prompt, options.images);
  }
  return dialogue;
}

int answer_once(Engine& engine, const Dialogue& dialogue, const RunOptions& options) {
  const Answer answer = answer_dialogue(engine, dialogue, options.generation, !options.json);
  std::vector<Drawing> drawings;
  if (!options.draw.empty()) drawings = draw_answer(answer, dialogue, options.draw);
  if (options.json) write_json(answer_json(answer, engine.info(), drawings));
  if (answer.finish_reason == FinishReason::cancelled) return kExitInterrupted;
  if (answer.finish_reason == FinishReason::length && !options.json) {
    write_note(fmt::format("the answer was cut after {} tokens; --max-tokens gives it more",
                           answer.usage.completion_tokens));
  }
  return kExitFine;
}

int run(const RunOptions& options) {
  check_run_options(options);
  catch_interrupts();
  // Whatever can be wrong with the request is found out before a large model is loaded.
  EngineOptions engine_options = options.engine;
  engine_options.model = find_model(options.model);
  if (!options.draw.empty()) require_writable_place(options.draw);
  Dialogue dialogue = dialogue_of(options);
  const bool is_chat = !options.prompt && options.conversation.empty();
  if (is_chat) {
    for (const std::filesystem::path& image : options.images) load_image(image);
  }
  Engine engine = load_engine(std::move(engine_options));
  return is_chat ? chat(engine, std::move(dialogue), options)
                 : answer_once(engine, dialogue, options);
}

}  // namespace

void add_run_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = program.add_subcommand("run", kDescription);
  command->footer(kExamples);
  add_run_options(*command, *options);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace vl2
