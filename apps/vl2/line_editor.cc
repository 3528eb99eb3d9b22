// SPDX-License-Identifier: MIT
#include "line_editor.h"

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <histedit.h>
#include <unistd.h>

#include "vl2/error.h"

#include "interrupt.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr int kHistoryLines = 1000;
constexpr char kEndOfTransmission = 4;                           // Ctrl-D
constexpr auto kMoreBytesNeeded = static_cast<std::size_t>(-2);  // says mbrtowc

char* prompt_text(EditLine*) {
  static char text[] = "> ";
  return text;
}

// One character for libedit: 1, 0 at the end of the input, -1 on errors and interrupts.
int read_character(EditLine*, wchar_t* character) {
  std::mbstate_t state = {};
  while (wait_for_input(STDIN_FILENO)) {
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count <= 0) return static_cast<int>(count);
    // Typed while the terminal still collected whole lines, Ctrl-D comes as a zero byte.
    if (byte == '\0') byte = kEndOfTransmission;
    const std::size_t length = std::mbrtowc(character, &byte, 1, &state);
    if (length <= 1) return 1;
    if (length != kMoreBytesNeeded) state = {};  // no character begins like this
  }
  return -1;
}

std::string without_line_break(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return std::string(line);
}

// libedit drops what the locale's encoding does not know, which in the C locale is every letter
// beyond ASCII.
void use_unicode() {
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

struct LineEditor::Terminal {
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event = {};
  fs::path file = history_path();

  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  void remember(const char* line);
};

LineEditor::Terminal::Terminal() {
  use_unicode();
  editor = el_init("vl2", stdin, stderr, stderr);
  history = history_init();
  ::history(history, &event, H_SETSIZE, kHistoryLines);
  ::history(history, &event, H_SETUNIQUE, 1);
  if (!file.empty()) ::history(history, &event, H_LOAD, file.c_str());
  el_set(editor, EL_PROMPT, &prompt_text);
  el_set(editor, EL_GETCFN, &read_character);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_HIST, ::history, history);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // The person's own key bindings.
  el_source(editor, nullptr);
}

LineEditor::Terminal::~Terminal() {
  history_end(history);
  el_end(editor);
}

// Written after every line, so that nothing is lost however the program ends. A history that cannot
// be written is no reason to bother anyone.
void LineEditor::Terminal::remember(const char* line) {
  ::history(history, &event, H_ENTER, line);
  if (file.empty()) return;
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  ::history(history, &event, H_SAVE, file.c_str());
}

LineEditor::LineEditor() {
  if (isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1) {
    terminal_ = std::make_unique<Terminal>();
  }
}

LineEditor::~LineEditor() = default;

LineEditor::Event LineEditor::read(std::string& line) {
  if (terminal_) {
    int count = 0;
    const char* typed = el_gets(terminal_->editor, &count);
    if (interrupted()) {
      std::fputs("\n", stderr);
      return Event::interrupted;
    }
    if (typed == nullptr || count <= 0) return Event::end;
    line = without_line_break(typed);
    if (!line.empty()) terminal_->remember(typed);
    return Event::line;
  }
  return read_pipe(line);
}

LineEditor::Event LineEditor::read_pipe(std::string& line) {
  std::array<char, 4096> bytes;
  std::size_t end = pending_.find('\n');
  while (end == pending_.npos) {
    if (!wait_for_input(STDIN_FILENO)) return Event::interrupted;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0) {
      throw Error(ErrorCode::io,
                  fmt::format("cannot read standard input: {}", std::strerror(errno)));
    }
    if (count == 0 && pending_.empty()) return Event::end;
    pending_.append(bytes.data(), static_cast<std::size_t>(count));
    // The last line may lack its break.
    end = count == 0 ? pending_.size() : pending_.find('\n');
  }
  line = without_line_break(std::string_view(pending_).substr(0, end));
  pending_.erase(0, end + 1);
  return Event::line;
}

fs::path history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return fs::path(state) / "vl2" / "history";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return fs::path(home) / ".local" / "state" / "vl2" / "history";
}

}  // namespace vl2
