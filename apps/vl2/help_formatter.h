// SPDX-License-Identifier: MIT
// How --help looks: what it is, examples, usage, then options in 80 columns with their defaults.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace vl2 {

// Shows a command's footer as its examples, right below the description.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
};

}  // namespace vl2
