// SPDX-License-Identifier: MIT
#include "server/api_error.h"

namespace vl2 {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

Json ApiError::json() const {
  return {{"error",
           {{"message", what()},
            {"type", details_.type},
            {"param", text_or_null(details_.param)},
            {"code", text_or_null(details_.code)}}}};
}

Json ApiError::ollama_json() const {
  const std::string message = what();
  const bool named = details_.param.empty() || message.find(details_.param) != message.npos;
  return {{"error", named ? message : details_.param + ": " + message}};
}

ApiError bad_request(const std::string& message, const std::string& param,
                     const std::string& code) {
  return ApiError(message, {.param = param, .code = code});
}

ApiError api_error_of(const Error& error, const std::string& param) {
  switch (error.code()) {
    case ErrorCode::invalid_argument:
      return bad_request(error.what(), param);
    case ErrorCode::bad_image:
      return bad_request(error.what(), param, "invalid_image");
    case ErrorCode::too_long:
      return bad_request(error.what(), param, "context_length_exceeded");
    case ErrorCode::out_of_memory:
      return ApiError(error.what(),
                      {.status = 503, .type = "server_error", .code = "out_of_memory"});
    case ErrorCode::cancelled:
      return ApiError(error.what(), {.status = 503, .type = "server_error", .code = "cancelled"});
    case ErrorCode::not_found:
    case ErrorCode::io:
    case ErrorCode::bad_checkpoint:
    case ErrorCode::unsupported:
      break;
  }
  return internal_error(error.what());
}

ApiError internal_error(const std::string& message) {
  return ApiError(message, {.status = 500, .type = "server_error", .code = "internal_error"});
}

}  // namespace vl2
