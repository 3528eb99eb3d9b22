// SPDX-License-Identifier: MIT
// A connection's bytes, with limits that the HTTP library lacks.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

#include <httplib.h>

namespace vl2 {

struct SocketLimits {
  std::size_t header_bytes = std::size_t{64} << 10;  // request line and headers together
  int header_seconds = 20;                           // from the first byte to the last header
  int body_seconds = 120;
  int write_seconds = 30;  // a client that takes nothing for so long has gone
};

// One connection, used by one thread. The socket is borrowed.
class SocketStream : public httplib::Stream {
 public:
  SocketStream(int socket, const SocketLimits& limits);

  // Waits for the first bytes of a request; false when the client closes, the time is up, or
  // `interrupt` becomes readable.
  bool wait_for_request(int interrupt, int seconds);
  // What is read from here on is a header, or a body.
  void begin_header();
  void begin_body();
  // A limit was passed; nothing more will be read.
  bool header_too_large() const noexcept { return header_too_large_; }
  bool too_slow() const noexcept { return too_slow_; }

  // Tells the client that nothing more comes, and takes what it still sends for a moment, so that
  // it can read the response before the connection ends.
  void linger();

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool fill();
  bool receive();

  int socket_;
  const SocketLimits& limits_;
  std::array<char, 16384> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool in_header_ = true;
  std::size_t header_bytes_ = 0;
  Clock::time_point deadline_ = {};
  bool header_too_large_ = false;
  bool too_slow_ = false;
};

}  // namespace vl2
