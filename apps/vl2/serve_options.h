// SPDX-License-Identifier: MIT
// What `vl2 serve` was asked for: by flags, else by environment variables, else by a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "server/server_options.h"

namespace vl2 {

struct ServeOptions {
  std::string model;                   // empty: the default one
  std::filesystem::path config;        // empty: none
  std::filesystem::path api_key_file;  // empty: none. A key a line
  std::size_t kv_memory_mib = 0;
  std::size_t cache_mib = 4096;
  std::size_t body_mib = 64;
  std::size_t image_megapixels = 64;
  bool quiet = false;
  ServerOptions server;  // without model, log and what the numbers above say
};

// Adds the options and their checks. `options` must outlive the parsing.
void add_serve_options(CLI::App& command, ServeOptions& options);

// Takes what neither flags nor environment said from the file of --config. Throws UsageError for
// names that are no options, Error for a file that cannot be read.
void read_serve_config(CLI::App& command, const ServeOptions& options);

// The server's options, keys read from their file. Throws Error.
ServerOptions server_options(const ServeOptions& options);

}  // namespace vl2
