// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>

#include <poll.h>

#include "server/http_message.h"

namespace vl2 {

ClientConnection::Wake ClientConnection::wait(const EventQueue& events, int timeout_ms) const {
  std::array<pollfd, 2> watched = {{{events.descriptor(), POLLIN, 0}, {socket_, POLLRDHUP, 0}}};
  const int ready = poll(watched.data(), watched.size(), timeout_ms);
  if (ready < 0) return errno == EINTR ? Wake::timeout : Wake::gone;
  if (watched[1].revents != 0) return Wake::gone;
  return watched[0].revents != 0 ? Wake::event : Wake::timeout;
}

}  // namespace vl2
