// SPDX-License-Identifier: MIT
// Routes that write no text: what this server is, how it is, and how it cuts text into tokens.
#pragma once

#include "server/http_message.h"
#include "server/server_context.h"

namespace vl2 {

HttpResponse show_health(ServerContext& server, bool draining);
HttpResponse show_version(ServerContext& server);
HttpResponse show_metrics(ServerContext& server);
// GET /v1/models and /v1/models/NAME.
HttpResponse list_models(ServerContext& server);
HttpResponse show_model(ServerContext& server, const std::string& name);
HttpResponse tokenize(ServerContext& server, HttpRequest& request);
HttpResponse detokenize(ServerContext& server, HttpRequest& request);

}  // namespace vl2
