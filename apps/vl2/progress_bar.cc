// SPDX-License-Identifier: MIT
#include "progress_bar.h"

#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace vl2 {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::size_t kBarWidth = 30;

std::string bar_of(std::size_t done, std::size_t total) {
  const std::size_t filled = std::min(kBarWidth, kBarWidth * done / total);
  return std::string(filled, '#') + std::string(kBarWidth - filled, '.');
}

std::string line_of(const Progress& progress) {
  const std::size_t total = std::max<std::size_t>(progress.total, 1);
  const std::string bar = bar_of(progress.done, total);
  switch (progress.stage) {
    case Stage::loading:
      return fmt::format("loading model    [{}] {:3}%", bar, 100 * progress.done / total);
    case Stage::pictures:
      return fmt::format("reading picture  [{}] {} of {} tiles", bar, progress.done,
                         progress.total);
    case Stage::prompt:
      return fmt::format("reading prompt   [{}] {} of {} tokens", bar, progress.done,
                         progress.total);
  }
  return {};
}

void write_error_stream(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) == 1), last_drawn_(Clock::now()) {}

void ProgressBar::show(const Progress& progress) {
  draw(static_cast<int>(progress.stage), line_of(progress));
}

void ProgressBar::show(std::string_view what, std::size_t done, std::size_t total) {
  total = std::max<std::size_t>(total, 1);
  draw(static_cast<int>(Stage::loading),
       fmt::format("{}[{}] {:3}%", what, bar_of(done, total), 100 * done / total));
}

void ProgressBar::draw(int stage, std::string_view line) {
  if (!terminal_) return;
  const Clock::time_point now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
  } else if (now - last_drawn_ < kRedrawEvery) {
    return;
  }
  last_drawn_ = now;
  drawn_ = true;
  write_error_stream(fmt::format("\r{}\x1b[K", line));
}

void ProgressBar::clear() {
  if (drawn_) write_error_stream("\r\x1b[K");
  drawn_ = false;
}

}  // namespace vl2
