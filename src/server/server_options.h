// SPDX-License-Identifier: MIT
// What a server may be told when it starts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "vl2/engine.h"

#include "server/http_server.h"
#include "server/picture_source.h"

namespace vl2 {

struct ServerOptions {
  HttpOptions http = {};
  std::filesystem::path model = {};
  std::string model_name = {};  // what clients call it; empty: the folder's name
  std::string weights = "auto";
  std::string vision = "bf16";      // activations of the vision tower: bf16 or int8
  int threads = 0;                  // 0: all the process may use
  std::size_t context_tokens = 0;   // 0: what the model was made for
  std::size_t kv_memory_bytes = 0;  // 0: a quarter of what the weights leave, at most 64 contexts
  std::size_t chunk_tokens = 512;   // rows of a step while somebody waits for the next token
  std::size_t most_running = 64;
  std::size_t most_waiting = 256;
  int most_seconds = 600;           // of one request
  double ping_seconds = 5;          // comments in a stream that has nothing else to say
  int drain_seconds = 30;           // for requests at work when the server is told to end
  GenerationOptions defaults = {};  // for what a request leaves open, but max_tokens
  PicturePolicy pictures = {};
  std::filesystem::path cache_folder = {};  // pictures' features survive here; empty: they do not
  std::size_t cache_folder_bytes = std::size_t{4} << 30;
  std::function<void(std::string_view line)> log = {};  // one event a line
};

}  // namespace vl2
