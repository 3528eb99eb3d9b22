// SPDX-License-Identifier: MIT
#include "serve_options.h"

#include <cctype>
#include <fstream>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/mapped_file.h"
#include "command.h"
#include "model_folder.h"

namespace vl2 {
namespace {

const CLI::Range kAnyCount(std::size_t{0}, std::size_t{1} << 40);
const CLI::Range kPositiveCount(std::size_t{1}, std::size_t{1} << 40);
const CLI::Range kSeconds(1, 1 << 20);

// An option that the environment may set too: --kv-memory is VL2_KV_MEMORY.
template <class T>
CLI::Option* add(CLI::App& command, const std::string& flag, T& variable, const std::string& help,
                 const std::string& group) {
  std::string name = "VL2_";
  for (const char c : flag.substr(2))
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return command.add_option(flag, variable, help)->group(group)->envname(name);
}

void add_network_options(CLI::App& command, ServeOptions& options) {
  const std::string group = "Network";
  HttpOptions& http = options.server.http;
  add(command, "--host", http.host, "Address to listen on; 0.0.0.0: all", group)
      ->capture_default_str()
      ->type_name("HOST");
  add(command, "--port", http.port, "0: any that is free", group)
      ->check(CLI::Range(0, 65535))
      ->capture_default_str()
      ->type_name("N");
  add(command, "--api-key", http.api_keys, "Clients must send this key; repeat for more", group)
      ->type_name("KEY")
      ->allow_extra_args(false);
  add(command, "--api-key-file", options.api_key_file, "The same from a file, a key a line", group)
      ->type_name("FILE");
  add(command, "--cors-origin", http.cors_origins,
      "Web pages of this origin may ask; *: all; repeat for more", group)
      ->type_name("ORIGIN")
      ->allow_extra_args(false);
  add(command, "--max-body", options.body_mib, "Largest request in MiB", group)
      ->check(kPositiveCount)
      ->capture_default_str()
      ->type_name("MIB");
  add(command, "--max-connections", http.most_connections, "Open at once", group)
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str()
      ->type_name("N");
  add(command, "--keep-alive", http.keep_alive_seconds, "How long idle connections stay", group)
      ->check(kSeconds)
      ->capture_default_str()
      ->type_name("SECONDS");
}

void add_load_options(CLI::App& command, ServerOptions& options) {
  const std::string group = "Load";
  add(command, "--max-running", options.most_running, "Answers written at once", group)
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->type_name("N");
  add(command, "--max-waiting", options.most_waiting, "Further ones that may wait; beyond: 429",
      group)
      ->check(kAnyCount)
      ->capture_default_str()
      ->type_name("N");
  add(command, "--request-timeout", options.most_seconds, "Longest time for one request", group)
      ->check(kSeconds)
      ->capture_default_str()
      ->type_name("SECONDS");
  add(command, "--drain-timeout", options.drain_seconds,
      "On SIGTERM, how long requests at work may take to end", group)
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str()
      ->type_name("SECONDS");
  add(command, "--ping-interval", options.ping_seconds, "Comments in streams that wait", group)
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str()
      ->type_name("SECONDS");
}

void add_picture_options(CLI::App& command, ServeOptions& options) {
  const std::string group = "Pictures";
  PicturePolicy& pictures = options.server.pictures;
  add(command, "--media-path", pictures.media_path,
      "file: URLs may name pictures below this folder; without it none", group)
      ->check(CLI::ExistingDirectory)
      ->type_name("FOLDER");
  add(command, "--allow-image-domains", pictures.fetch.domains,
      "Fetch pictures by http(s) from these hosts, comma-separated (a.org,*.b.org,c.org:8080); "
      "without it none",
      group)
      ->delimiter(',')
      ->type_name("HOSTS");
  add(command, "--fetch-timeout", pictures.fetch.most_seconds,
      "For fetching all pictures of one request", group)
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str()
      ->type_name("SECONDS");
  add(command, "--max-images", pictures.most_pictures, "Of one request", group)
      ->check(kPositiveCount)
      ->capture_default_str()
      ->type_name("N");
  add(command, "--max-megapixels", options.image_megapixels,
      "Of all pictures of one request together", group)
      ->check(CLI::Range(1, 2'000))
      ->capture_default_str()
      ->type_name("N");
}

void add_engine_options(CLI::App& command, ServeOptions& options) {
  const std::string group = "Engine";
  ServerOptions& server = options.server;
  add(command, "--model-name", server.model_name,
      "What clients call the model (default: its folder)", group)
      ->type_name("NAME");
  describe_weights_option(*add(command, "--weights", server.weights, "", group));
  describe_vision_option(*add(command, "--vision", server.vision, "", group));
  add(command, "--threads", server.threads, "0: all cores", group)
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->type_name("N");
  add(command, "--context", server.context_tokens,
      "Most tokens of prompt and answer; 0: what the model was made for", group)
      ->check(kAnyCount)
      ->capture_default_str()
      ->type_name("N");
  add(command, "--kv-memory", options.kv_memory_mib,
      "KV cache in MiB; 0: a quarter of what the weights leave, at most 64 contexts", group)
      ->check(kAnyCount)
      ->capture_default_str()
      ->type_name("MIB");
  add(command, "--cache-dir", server.cache_folder,
      "Keep what pictures were turned into in this folder, for the next start (default: nothing)",
      group)
      ->type_name("FOLDER");
  add(command, "--cache-size", options.cache_mib, "Most that folder may hold, in MiB", group)
      ->check(kPositiveCount)
      ->capture_default_str()
      ->type_name("MIB");
  add(command, "--chunk-size", server.chunk_tokens,
      "Tokens of prompts a step takes while others wait for their next token", group)
      ->check(kPositiveCount)
      ->capture_default_str()
      ->type_name("N");
}

void add_default_options(CLI::App& command, GenerationOptions& options) {
  const std::string group = "Answers, where a request says nothing";
  add(command, "--temperature", options.temperature, "0: always the most probable token", group)
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str()
      ->type_name("T");
  add(command, "--top-k", options.top_k, "0: all", group)
      ->check(CLI::Range(0, std::numeric_limits<int>::max()))
      ->capture_default_str()
      ->type_name("K");
  add(command, "--top-p", options.top_p, "Choose among those that make up P of all chance", group)
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->type_name("P");
  add(command, "--repetition-penalty", options.repetition_penalty,
      "Above 1: tokens that came before become less likely", group)
      ->check(CLI::Range(0.01, 100.0))
      ->capture_default_str()
      ->type_name("X");
}

std::vector<std::string> read_keys(const std::filesystem::path& path) {
  std::vector<std::string> keys;
  std::string text = read_text_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string key = text.substr(begin, end - begin);
    while (!key.empty() && std::isspace(static_cast<unsigned char>(key.back()))) key.pop_back();
    if (!key.empty()) keys.push_back(std::move(key));
    begin = end + 1;
  }
  // An empty file must not open the server to everybody.
  if (keys.empty())
    throw Error(ErrorCode::invalid_argument, fmt::format("{} holds no key", path.string()));
  return keys;
}

}  // namespace

void add_serve_options(CLI::App& command, ServeOptions& options) {
  add_model_option(command, options.model);
  command
      .add_option("--config", options.config,
                  "File with lines such as port = 8080, for what flags and environment leave open")
      ->type_name("FILE");
  command.add_flag("-q,--quiet", options.quiet, "No line for each request");
  add_network_options(command, options);
  add_load_options(command, options.server);
  add_picture_options(command, options);
  add_engine_options(command, options);
  add_default_options(command, options.server.defaults);
}

void read_serve_config(CLI::App& command, const ServeOptions& options) {
  if (options.config.empty()) return;
  const std::string name = options.config.string();
  read_text_file(options.config);  // for its clear errors
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(name)) {
    if (item.name == "++" || item.name == "--") continue;  // beginnings and ends of sections
    CLI::Option* option = command.get_option_no_throw("--" + item.name);
    if (option == nullptr || item.name == "config")
      throw UsageError(fmt::format("{}: there is no option '{}'", name, item.name));
    if (option->count() > 0) continue;
    option->add_result(item.inputs);
    option->run_callback();
  }
}

ServerOptions server_options(const ServeOptions& options) {
  ServerOptions server = options.server;
  server.model = find_model(options.model);
  server.kv_memory_bytes = options.kv_memory_mib << 20;
  server.cache_folder_bytes = options.cache_mib << 20;
  server.http.most_body_bytes = options.body_mib << 20;
  server.http.most_bodies_bytes =
      std::max(server.http.most_bodies_bytes, 4 * server.http.most_body_bytes);
  server.pictures.most_pixels = options.image_megapixels * 1'000'000;
  for (std::string& domain : server.pictures.fetch.domains)
    for (char& c : domain) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!options.api_key_file.empty()) {
    for (std::string& key : read_keys(options.api_key_file))
      server.http.api_keys.push_back(std::move(key));
  }
  return server;
}

}  // namespace vl2
