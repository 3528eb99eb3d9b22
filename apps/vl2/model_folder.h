// SPDX-License-Identifier: MIT
// Which model a command works on.
#pragma once

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

namespace vl2 {

// Adds -m, --model. `given` stays empty without it.
void add_model_option(CLI::App& command, std::string& given);

// Gives --weights, which every command that loads a model has, its help and its names.
void describe_weights_option(CLI::Option& option);
// The same for --vision.
void describe_vision_option(CLI::Option& option);

// The folder of `given`, else of the environment variable VL2_MODEL, else of the bundled model,
// which lies next to the program: ../models/vl2-nano of a build folder inside the source tree, or
// ../share/vl2/models/vl2-nano of an installed program. Says on standard error when it is not
// `given`. Throws Error{not_found} with one clear line when it is no model folder.
std::filesystem::path find_model(const std::string& given);

}  // namespace vl2
