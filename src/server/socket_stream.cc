// SPDX-License-Identifier: MIT
#include "server/socket_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

namespace vl2 {
namespace {

// True when `events` (or an end of the connection) came in time.
bool wait_for(int socket, short events, int timeout_ms) {
  pollfd watched{socket, events, 0};
  int ready = 0;
  do {
    ready = poll(&watched, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

int milliseconds_until(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

}  // namespace

SocketStream::SocketStream(int socket, const SocketLimits& limits)
    : socket_(socket), limits_(limits) {}

bool SocketStream::wait_for_request(int interrupt, int seconds) {
  if (begin_ < end_) return true;
  std::array<pollfd, 2> watched = {{{socket_, POLLIN, 0}, {interrupt, POLLIN, 0}}};
  int ready = 0;
  do {
    ready = poll(watched.data(), watched.size(), seconds * 1000);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && watched[0].revents != 0 && receive();
}

void SocketStream::begin_header() {
  in_header_ = true;
  header_bytes_ = 0;
  deadline_ = Clock::now() + std::chrono::seconds(limits_.header_seconds);
}

void SocketStream::begin_body() {
  in_header_ = false;
  deadline_ = Clock::now() + std::chrono::seconds(limits_.body_seconds);
}

bool SocketStream::fill() {
  if (header_too_large_ || too_slow_) return false;
  if (!wait_for(socket_, POLLIN, milliseconds_until(deadline_))) {
    too_slow_ = true;
    return false;
  }
  return receive();
}

bool SocketStream::receive() {
  const ssize_t count = recv(socket_, buffer_.data(), buffer_.size(), 0);
  if (count <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(count);
  return true;
}

ssize_t SocketStream::read(char* bytes, std::size_t size) {
  if (begin_ == end_ && !fill()) return -1;
  std::size_t count = std::min(size, end_ - begin_);
  if (in_header_) {
    header_bytes_ += count;
    if (header_bytes_ > limits_.header_bytes) {
      header_too_large_ = true;
      return -1;
    }
  }
  std::memcpy(bytes, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t SocketStream::write(const char* bytes, std::size_t size) {
  if (!wait_for(socket_, POLLOUT, limits_.write_seconds * 1000)) return -1;
  return send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool SocketStream::is_readable() const { return begin_ < end_ || wait_for(socket_, POLLIN, 0); }

bool SocketStream::is_writable() const { return wait_for(socket_, POLLOUT, 0); }

void SocketStream::linger() {
  constexpr int kMostSeconds = 2;
  constexpr std::size_t kMostBytes = std::size_t{256} << 20;
  shutdown(socket_, SHUT_WR);
  const Clock::time_point end = Clock::now() + std::chrono::seconds(kMostSeconds);
  std::size_t taken = 0;
  while (taken < kMostBytes && wait_for(socket_, POLLIN, milliseconds_until(end))) {
    const ssize_t count = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return;
    taken += static_cast<std::size_t>(count);
  }
}

void SocketStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void SocketStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace vl2
