// SPDX-License-Identifier: MIT
// Which addresses lie outside.
#pragma once

#include <sys/socket.h>

namespace vl2 {

// Whether an address is one of the public internet: false for this machine, private and shared
// networks, link-local, multicast, documentation, and for IPv6 addresses that stand for an IPv4
// address of that kind or lead through a gateway. Anything but IPv4 and IPv6 is not public.
// The blocks are those of IANA's registries of special-purpose addresses (RFC 6890).
bool is_public_address(const sockaddr& address);

}  // namespace vl2
