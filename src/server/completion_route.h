// SPDX-License-Identifier: MIT
// POST /v1/completions.
#pragma once

#include "server/http_message.h"
#include "server/server_context.h"

namespace vl2 {

HttpResponse complete(ServerContext& server, HttpRequest& request);

}  // namespace vl2
