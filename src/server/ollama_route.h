// SPDX-License-Identifier: MIT
// The part of Ollama's API that its clients need to talk to a model that is there.
#pragma once

#include "server/http_message.h"
#include "server/server_context.h"

namespace vl2 {

HttpResponse ollama_chat(ServerContext& server, HttpRequest& request);
HttpResponse ollama_generate(ServerContext& server, HttpRequest& request);

}  // namespace vl2
