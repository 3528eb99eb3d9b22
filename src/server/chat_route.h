// SPDX-License-Identifier: MIT
// POST /v1/chat/completions and /v1/chat/completions/input_tokens.
#pragma once

#include "server/http_message.h"
#include "server/server_context.h"

namespace vl2 {

HttpResponse answer_chat(ServerContext& server, HttpRequest& request);
HttpResponse count_input_tokens(ServerContext& server, HttpRequest& request);

}  // namespace vl2
