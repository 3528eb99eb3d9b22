// SPDX-License-Identifier: MIT
#include "chat.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "vl2/error.h"

#include "answering.h"
#include "command.h"
#include "interrupt.h"
#include "line_editor.h"
#include "output.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHelp =
    "  /image FILE   show a picture with the next question\n"
    "  /clear        forget the conversation and its pictures\n"
    "  /save FILE    write the conversation as JSON (vl2 run --conversation reads it)\n"
    "  /help         this list\n"
    "  /quit         leave; so does Ctrl-D\n"
    "Ctrl-C ends an answer, Ctrl-R searches the history.\n";

void write_help(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// A path as people type or drop it into a terminal: quoted, or with ~ for their home.
fs::path typed_path(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  const char* home = std::getenv("HOME");
  if (text.starts_with("~/") && home != nullptr) return fs::path(home) / text.substr(2);
  return fs::path(text);
}

class Chat {
 public:
  Chat(Engine& engine, Dialogue dialogue, const RunOptions& options)
      : engine_(engine),
        options_(options),
        start_(std::move(dialogue)),
        dialogue_(start_),
        pictures_(options.images) {}

  // One line of input. Errors of a question do not end the chat; Error{io} of standard output does.
  void take(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty()) return;
    if (text.front() == '/') {
      command(text);
    } else {
      ask(std::string(text));
    }
  }

  bool over() const { return over_; }

 private:
  void command(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view name = text.substr(0, end);
    const std::string_view argument = trimmed(text.substr(end));
    if (name == "/quit" || name == "/exit") {
      over_ = true;
    } else if (name == "/help") {
      write_help(kHelp);
    } else if (name == "/clear") {
      dialogue_ = start_;
      pictures_.clear();
      write_note("the conversation is forgotten");
    } else if ((name == "/image" || name == "/save") && argument.empty()) {
      write_note(fmt::format("{} needs a file", name));
    } else if (name == "/image") {
      add_picture(typed_path(argument));
    } else if (name == "/save") {
      save(typed_path(argument));
    } else {
      write_note(fmt::format("there is no command {}; /help lists them", name));
    }
  }

  void add_picture(const fs::path& path) {
    const Image image = load_image(path);
    pictures_.push_back(path);
    write_note(fmt::format("{} ({}x{}) comes with the next question", path.string(), image.width,
                           image.height));
  }

  void save(const fs::path& path) {
    dialogue_.save(path);
    write_note(fmt::format("saved as {}", path.string()));
  }

  void ask(const std::string& question) {
    dialogue_.ask(question, pictures_);
    const Answer answer = [&] {
      try {
        return answer_dialogue(engine_, dialogue_, options_.generation, true);
      } catch (const Error&) {
        dialogue_.take_back();
        throw;
      }
    }();
    pictures_.clear();
    dialogue_.answer(answer.text);
    if (answer.finish_reason == FinishReason::length) {
      write_note(fmt::format("the answer was cut after {} tokens", answer.usage.completion_tokens));
    }
    if (!options_.draw.empty()) draw_answer(answer, dialogue_, options_.draw);
  }

  Engine& engine_;
  const RunOptions& options_;
  const Dialogue start_;  // what /clear goes back to
  Dialogue dialogue_;
  std::vector<fs::path> pictures_;  // for the next question
  bool over_ = false;
};

}  // namespace

int chat(Engine& engine, Dialogue dialogue, const RunOptions& options) {
  LineEditor editor;
  if (editor.is_terminal()) {
    const ModelInfo& info = engine.info();
    write_note(fmt::format("{}, {}, {}, {} threads. /help lists commands, Ctrl-D ends.", info.name,
                           info.weights, info.instruction_set, info.threads));
  }
  Chat chat(engine, std::move(dialogue), options);
  std::string line;
  bool failed = false;
  bool just_interrupted = false;
  while (!chat.over()) {
    forget_interrupt();
    const LineEditor::Event event = editor.read(line);
    if (event == LineEditor::Event::end) break;
    if (event == LineEditor::Event::interrupted) {
      if (just_interrupted || !editor.is_terminal()) return kExitInterrupted;
      just_interrupted = true;
      write_note("Ctrl-C once more, or Ctrl-D, ends the chat");
      continue;
    }
    just_interrupted = false;
    try {
      chat.take(line);
    } catch (const Error& error) {
      write_note(error.what());
      failed = true;
    }
  }
  // A person has seen the errors; a script that sent its questions through a pipe has not.
  return failed && !editor.is_terminal() ? kExitFailed : kExitFine;
}

}  // namespace vl2
