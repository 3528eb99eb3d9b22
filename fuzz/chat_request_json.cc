// SPDX-License-Identifier: MIT
// Any bytes as the body of a request, for each protocol: refused with an ApiError of status 4xx, or
// taken with every limit kept. A schema it brings along becomes a grammar or is refused.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/generation_options.h"
#include "server/api_error.h"
#include "server/chat_request.h"
#include "server/completion_request.h"
#include "server/json_grammar.h"
#include "server/ollama_request.h"

namespace {

void check(const vl2::GenerationFields& fields) {
  vl2::check_options(fields.options);
  if (fields.choices < 1 || fields.choices > 16) std::abort();
  for (const auto& [token, bias] : fields.logit_bias)
    if (token < 0 || !std::isfinite(bias)) std::abort();
}

void check(const vl2::ResponseFormat& format) {
  if (format.type == vl2::ResponseFormat::Type::json_schema)
    vl2::json_schema_grammar(format.schema, "schema");
}

template <class F>
void refused_or(F&& f) {
  try {
    f();
  } catch (const vl2::ApiError& error) {
    if (error.status() < 400 || error.status() > 499 || error.json().dump().empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  refused_or([&] {
    const vl2::ChatRequest request = vl2::parse_chat_request(body, {});
    if (request.messages.empty()) std::abort();
    check(request.generation);
    check(request.format);
  });
  refused_or([&] { check(vl2::parse_completion_request(body, {}).generation); });
  for (const auto& parse : {vl2::parse_ollama_chat, vl2::parse_ollama_generate}) {
    refused_or([&] {
      const vl2::OllamaRequest request = parse(body, {});
      check(request.generation);
      check(request.format);
    });
  }
  return 0;
}
