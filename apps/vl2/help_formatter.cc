// SPDX-License-Identifier: MIT
#include "help_formatter.h"

#include <string_view>

#include <fmt/format.h>

namespace vl2 {
namespace {

constexpr std::size_t kLineWidth = 80;
constexpr std::size_t kTextColumn = 30;

// `text` in lines that begin at kTextColumn; the first one is placed by the caller.
std::string wrapped(std::string_view text) {
  std::string lines;
  std::size_t column = kTextColumn;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > kTextColumn) {
      const bool fits = column + 1 + word.size() <= kLineWidth;
      lines += fits ? " " : "\n" + std::string(kTextColumn, ' ');
      column = fits ? column + 1 : kTextColumn;
    }
    lines += word;
    column += word.size();
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return lines;
}

// Without the checks that CLI11 adds to it.
std::string type_name(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

}  // namespace

std::string HelpFormatter::make_description(const CLI::App* app) const {
  std::string text = app->get_description() + "\n\n";
  if (!app->get_footer().empty()) text += app->get_footer() + "\n\n";
  return text;
}

std::string HelpFormatter::make_footer(const CLI::App*) const { return {}; }

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string names = "  " + option->get_name(is_positional, true);
  // Flags have no value to name.
  if (option->get_items_expected_max() > 0 && !type_name(*option).empty())
    names += " " + type_name(*option);
  std::string text = option->get_description();
  if (!option->get_default_str().empty())
    text += fmt::format(" (default {})", option->get_default_str());
  const std::string gap = names.size() + 2 <= kTextColumn
                              ? std::string(kTextColumn - names.size(), ' ')
                              : "\n" + std::string(kTextColumn, ' ');
  return names + gap + wrapped(text) + "\n";
}

}  // namespace vl2
