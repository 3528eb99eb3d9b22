// SPDX-License-Identifier: MIT
// What a client gets instead of an answer, as the OpenAI SDKs read it.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "vl2/error.h"

namespace vl2 {

// Members stay in the order in which they were added.
using Json = nlohmann::ordered_json;

// A status and the body {"error": {message, type, param, code}}. Thrown by everything that reads a
// request.
class ApiError : public std::runtime_error {
 public:
  struct Details {
    int status = 400;
    std::string type = "invalid_request_error";
    std::string param = {};  // the part at fault, "messages[0].content"; empty: null
    std::string code = {};   // empty: null
    std::optional<int> retry_after_seconds = {};  // told in a Retry-After header
  };
  ApiError(const std::string& message, Details details)
      : std::runtime_error(message), details_(std::move(details)) {}

  const Details& details() const noexcept { return details_; }
  int status() const noexcept { return details_.status; }
  Json json() const;
  // The same as Ollama's clients read it: {"error": "messages[0]: ..."}.
  Json ollama_json() const;

 private:
  Details details_;
};

// 400 about one part of the request.
ApiError bad_request(const std::string& message, const std::string& param,
                     const std::string& code = "invalid_value");

// What the engine says about a request, as a client should hear it. `param` is the part it was said
// about, if that is known.
ApiError api_error_of(const Error& error, const std::string& param = {});

// 500, for what should not happen.
ApiError internal_error(const std::string& message);

}  // namespace vl2
