// SPDX-License-Identifier: MIT
// What Ollama's clients ask about models.
#pragma once

#include <chrono>
#include <string>

#include "server/http_message.h"
#include "server/server_context.h"

namespace vl2 {

HttpResponse ollama_tags(ServerContext& server);
HttpResponse ollama_running(ServerContext& server);  // /api/ps
HttpResponse ollama_show(ServerContext& server, HttpRequest& request);
HttpResponse ollama_version(ServerContext& server);

// The time as Ollama writes it: 2026-01-31T12:00:00.123456Z.
std::string rfc3339(std::chrono::system_clock::time_point time);
std::string rfc3339_now();

}  // namespace vl2
