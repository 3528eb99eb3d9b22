// SPDX-License-Identifier: MIT
#include "server/network_address.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace vl2 {
namespace {

struct Block4 {
  std::uint32_t first;  // in this machine's byte order
  int bits;             // that all its addresses share
};

constexpr std::uint32_t ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array kNotPublic4 = {
    Block4{ip4(0, 0, 0, 0), 8},        // this network
    Block4{ip4(10, 0, 0, 0), 8},       // private
    Block4{ip4(100, 64, 0, 0), 10},    // shared by a provider's customers
    Block4{ip4(127, 0, 0, 0), 8},      // loopback
    Block4{ip4(169, 254, 0, 0), 16},   // link-local, where clouds tell machines their secrets
    Block4{ip4(172, 16, 0, 0), 12},    // private
    Block4{ip4(192, 0, 0, 0), 24},     // protocol assignments
    Block4{ip4(192, 0, 2, 0), 24},     // documentation
    Block4{ip4(192, 88, 99, 0), 24},   // 6to4 relays
    Block4{ip4(192, 168, 0, 0), 16},   // private
    Block4{ip4(198, 18, 0, 0), 15},    // benchmarks
    Block4{ip4(198, 51, 100, 0), 24},  // documentation
    Block4{ip4(203, 0, 113, 0), 24},   // documentation
    Block4{ip4(224, 0, 0, 0), 4},      // multicast
    Block4{ip4(240, 0, 0, 0), 4},      // reserved, broadcast
};

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(kNotPublic4, [&](const Block4& block) {
    return (address ^ block.first) >> (32 - block.bits) == 0;
  });
}

struct Block6 {
  std::array<std::uint8_t, 4> first;
  int bits;  // at most 32
};

constexpr Block6 kGlobal6 = {{0x20, 0, 0, 0}, 3};  // all that is given out
constexpr std::array kNotPublic6 = {
    Block6{{0x20, 0x01, 0x00, 0x00}, 23},  // protocol assignments, Teredo
    Block6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Block6{{0x20, 0x02, 0x00, 0x00}, 16},  // 6to4: an IPv4 address behind a relay
    Block6{{0x3f, 0xff, 0x00, 0x00}, 20},  // documentation
};

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  return ip4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

bool lies_in(std::span<const std::uint8_t, 16> address, const Block6& block) {
  return (big_endian(address) ^ big_endian(block.first)) >> (32 - block.bits) == 0;
}

bool is_public6(std::span<const std::uint8_t, 16> address) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::ranges::equal(address.first<12>(), kMapped))
    return is_public4(big_endian(address.last<4>()));
  return lies_in(address, kGlobal6) &&
         std::ranges::none_of(kNotPublic6, [&](const Block6& b) { return lies_in(address, b); });
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in = {};
    std::memcpy(&in, &address, sizeof in);
    return is_public4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in = {};
    std::memcpy(&in, &address, sizeof in);
    return is_public6(in.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace vl2
