// SPDX-License-Identifier: MIT
// Lines from a person, with editing and a history that outlives the program (libedit), or from a
// pipe, as they come.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace vl2 {

class LineEditor {
 public:
  enum class Event {
    line,
    end,          // Ctrl-D, or the end of the pipe
    interrupted,  // Ctrl-C; what had been typed is lost
  };

  // Editing happens on standard error, so that standard output holds answers alone.
  LineEditor();
  ~LineEditor();

  // Reads up to the next line break, which `line` does not get. Needs catch_interrupts().
  // Throws Error{io}.
  Event read(std::string& line);

  bool is_terminal() const noexcept { return terminal_ != nullptr; }

 private:
  Event read_pipe(std::string& line);

  struct Terminal;
  std::unique_ptr<Terminal> terminal_;
  std::string pending_;  // read from the pipe and not yet given out
};

// $XDG_STATE_HOME/vl2/history, else ~/.local/state/vl2/history; empty without a home.
std::filesystem::path history_path();

}  // namespace vl2
