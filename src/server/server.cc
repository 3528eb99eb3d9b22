// SPDX-License-Identifier: MIT
#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/cpu.h"
#include "engine/memory_limit.h"
#include "server/chat_route.h"
#include "server/completion_route.h"
#include "server/engine_thread.h"
#include "server/information_routes.h"
#include "server/metrics.h"
#include "server/ollama_model.h"
#include "server/ollama_route.h"
#include "server/page_route.h"
#include "server/server_context.h"

namespace vl2 {
namespace {

LoadedModel load(const ServerOptions& options, const ThreadTeam& team,
                 const std::atomic<bool>& stopping) {
  LoadOptions load_options;
  load_options.recipe = recipe_wanted(options.weights);
  load_options.integer_vision = integer_vision_wanted(options.vision);
  load_options.context_tokens = options.context_tokens;
  load_options.team = team;
  load_options.progress = [&](std::size_t, std::size_t) { return !stopping; };
  return load_model(options.model, load_options);
}

std::size_t bytes_per_token(const Model& model) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < model.layer_count(); ++i) bytes += model.page_bytes(i);
  return std::max<std::size_t>(bytes / kPageTokens, 1);
}

// How many tokens the KV cache holds: what was asked for, or a quarter of the memory that the
// weights leave, but not more than 64 full contexts.
std::size_t cache_tokens(const ServerOptions& options, const Model& model) {
  const std::size_t per_token = bytes_per_token(model);
  const std::size_t context = model.context();
  if (options.kv_memory_bytes > 0) {
    const std::size_t tokens = options.kv_memory_bytes / per_token;
    if (tokens >= context) return tokens;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("--kv-memory holds {} tokens, less than the context of {}; give at "
                            "least {} MiB or a smaller --context",
                            tokens, context, (context * per_token >> 20) + 1));
  }
  constexpr std::size_t kMostContexts = 64;
  const std::size_t memory = memory_there().limit_bytes;
  const std::size_t left = memory - std::min(memory, model.weight_bytes());
  return std::clamp(left / 4 / per_token, context, kMostContexts * context);
}

RuntimeOptions runtime_options(const ServerOptions& options, const Model& model,
                               const ThreadTeam& team) {
  RuntimeOptions runtime;
  runtime.isa = chosen_isa();
  runtime.team = team;
  runtime.cache_tokens = cache_tokens(options, model);
  runtime.limits.chunk_tokens_while_generating = options.chunk_tokens;
  runtime.limits.chunk_tokens = std::max(runtime.limits.chunk_tokens, options.chunk_tokens);
  runtime.max_sequences = options.most_running;
  runtime.picture_files = {options.cache_folder, options.cache_folder_bytes,
                           [log = options.log](std::string_view why) {
                             if (log) log(fmt::format("warning {}", why));
                           }};
  return runtime;
}

}  // namespace

struct Server::Implementation {
  explicit Implementation(ServerOptions given)
      : options(std::move(given)), team(options.threads), http(http_options(), routes()) {
    port = http.bind();
  }

  HttpOptions http_options() {
    HttpOptions http_options = options.http;
    http_options.log = options.log;
    http_options.observe = [this](const std::string& route, int status, double seconds) {
      metrics.count_request(route, status, seconds);
    };
    return http_options;
  }

  using Handler = HttpResponse (*)(ServerContext&, HttpRequest&);
  HttpRoute post(const char* path, Handler handler) {
    return {"POST", path, [this, handler](HttpRequest& request) {
              if (draining)
                throw ApiError("The server is shutting down.", {.status = 503,
                                                                .type = "server_error",
                                                                .code = "draining",
                                                                .retry_after_seconds = 5});
              return handler(*context, request);
            }};
  }
  HttpRoute get(const char* path, HttpResponse (*handler)(ServerContext&), bool open = false) {
    return {"GET", path, [this, handler](HttpRequest&) { return handler(*context); }, open};
  }
  std::vector<HttpRoute> routes() {
    static constexpr std::string_view kModels = "/v1/models/";
    std::vector<HttpRoute> routes = {
        post("/v1/chat/completions", answer_chat),
        post("/v1/chat/completions/input_tokens", count_input_tokens),
        post("/v1/completions", complete),
        post("/tokenize", tokenize),
        post("/detokenize", detokenize),
        get("/v1/models", list_models),
        {"GET", std::string(kModels) + "*",
         [this](HttpRequest& request) {
           return show_model(*context, request.path.substr(kModels.size()));
         }},
        {"GET", "/health", [this](HttpRequest&) { return show_health(*context, draining); }, true},
        get("/version", show_version, true),
        get("/metrics", show_metrics),
        post("/api/chat", ollama_chat),
        post("/api/generate", ollama_generate),
        post("/api/show", ollama_show),
        get("/api/tags", ollama_tags),
        get("/api/ps", ollama_running),
        get("/api/version", ollama_version, true),
    };
    std::ranges::move(page_routes(), std::back_inserter(routes));
    return routes;
  }

  EngineThreadOptions engine_options() {
    EngineThreadOptions given;
    given.load = [this] { return load(options, team, stopping); };
    given.runtime = [this](const Model& model) { return runtime_options(options, model, team); };
    given.most_waiting = options.most_waiting;
    given.step_observer = [this](double seconds) { metrics.count_step(seconds); };
    return given;
  }

  void log(const std::string& line) const {
    if (options.log) options.log(line);
  }

  // Waits for what is at work, then ends run().
  void finish() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.drain_seconds);
    const auto waits = [&] {
      const EngineStatus status = engine->status();
      return status.running + status.waiting > 0 || http.busy_count() > 0;
    };
    http.close_when_idle();
    while (waits() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    engine->stop();
    http.stop();
  }

  void run() {
    engine.emplace(engine_options());
    context.emplace(options, *engine, metrics);
    std::thread watcher([this] { watch(); });
    http.serve();
    watcher.join();
    engine.reset();
    if (failure && !draining) throw Error(*failure);
  }

  // Waits for the end of loading, then for drain().
  void watch() {
    const EngineThread::State state = engine->wait_until_loaded();
    if (state == EngineThread::State::ready) {
      const LoadedModel& model = *engine->model();
      log(fmt::format("ready model={} weights={} isa={} context={} kv_mib={} load_s={:.2f}",
                      model.name, to_string(model.model.recipe()), to_string(chosen_isa()),
                      model.model.context(), engine->cache_bytes() >> 20, model.load_seconds));
    }
    while (!draining && !(failure = engine->failure()))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    finish();
  }

  ServerOptions options;
  ThreadTeam team;
  Metrics metrics;
  std::atomic<bool> draining = false;
  std::atomic<bool> stopping = false;
  std::optional<EngineThread> engine;
  std::optional<ServerContext> context;
  HttpServer http;
  int port = 0;
  std::optional<Error> failure;
};

Server::Server(ServerOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
Server::~Server() = default;

int Server::port() const noexcept { return implementation_->port; }

void Server::run() { implementation_->run(); }

void Server::drain() {
  implementation_->draining = true;
  implementation_->stopping = true;
}

}  // namespace vl2
