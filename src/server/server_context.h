// SPDX-License-Identifier: MIT
// What all routes share.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <semaphore>
#include <string>

#include "server/chat_response.h"
#include "server/constraints.h"
#include "server/engine_thread.h"
#include "server/metrics.h"
#include "server/server_options.h"

namespace vl2 {

// Any number of threads.
class ServerContext {
 public:
  ServerContext(const ServerOptions& server_options, EngineThread& engine_thread,
                Metrics& server_metrics)
      : options(server_options), engine(engine_thread), metrics(server_metrics) {}

  // Throws ApiError 503 while there is none.
  const LoadedModel& model() const;
  // What clients call it.
  const std::string& model_name() const;
  // Throws ApiError 404 for a name that is not this server's; an empty one is fine.
  void check_model(const std::string& name) const;

  // Once the model is there.
  Constraints& constraints();

  ResponseHead head(const char* id_prefix, const char* object);
  std::uint64_t draw_seed();

  const ServerOptions& options;
  EngineThread& engine;
  Metrics& metrics;
  const std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  // Pictures of so many requests are decoded at once, so that their pixels fit the memory.
  std::counting_semaphore<> preparing{2};
  // So many requests have pictures from the network at once.
  std::counting_semaphore<> fetching{8};

 private:
  std::uint64_t draw();

  std::once_flag constraints_made_;
  std::optional<Constraints> constraints_;
  std::mutex mutex_;
  std::mt19937_64 generator_{std::random_device{}()};
};

}  // namespace vl2
