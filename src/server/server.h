// SPDX-License-Identifier: MIT
// `vl2 serve`: a model behind the OpenAI API.
#pragma once

#include <memory>

#include "server/server_options.h"

namespace vl2 {

class Server {
 public:
  // Takes the port, so that what is wrong with it is told at once. Throws Error{io}.
  explicit Server(ServerOptions options);
  ~Server();

  int port() const noexcept;

  // Loads the model and answers requests until drain() has come to its end. Throws what loading
  // the model threw.
  void run();

  // No new requests; run() returns when those at work are answered, or after drain_seconds. May be
  // called by any thread, also while the model is loading.
  void drain();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace vl2
