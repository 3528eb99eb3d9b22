// SPDX-License-Identifier: MIT
#include "server/server_context.h"

#include <chrono>

#include <fmt/format.h>

#include "base/cpu.h"
#include "server/api_error.h"

namespace vl2 {

const LoadedModel& ServerContext::model() const {
  const LoadedModel* model = engine.model();
  if (model != nullptr) return *model;
  constexpr int kRetrySeconds = 2;
  throw ApiError("The model is not ready.", {.status = 503,
                                             .type = "server_error",
                                             .code = "not_ready",
                                             .retry_after_seconds = kRetrySeconds});
}

const std::string& ServerContext::model_name() const {
  return options.model_name.empty() ? model().name : options.model_name;
}

void ServerContext::check_model(const std::string& name) const {
  if (name.empty() || name == model_name() || name == model_name() + ":latest") return;
  throw ApiError(fmt::format("The model '{}' does not exist; this server has '{}'.",
                             name.substr(0, 100), model_name()),
                 {.status = 404, .param = "model", .code = "model_not_found"});
}

Constraints& ServerContext::constraints() {
  const Tokenizer& tokenizer = *model().tokenizer;
  std::call_once(constraints_made_, [&] { constraints_.emplace(tokenizer); });
  return *constraints_;
}

ResponseHead ServerContext::head(const char* id_prefix, const char* object) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {
      fmt::format("{}-{:016x}", id_prefix, draw()), object,
      std::chrono::duration_cast<std::chrono::seconds>(now).count(), model_name(),
      fmt::format("{}-{}{}-{}", model().name, to_string(model().model.recipe()),
                  model().model.integer_vision() ? "-vision-int8" : "", to_string(chosen_isa()))};
}

std::uint64_t ServerContext::draw() {
  const std::lock_guard lock(mutex_);
  return generator_();
}

std::uint64_t ServerContext::draw_seed() { return draw(); }

}  // namespace vl2
