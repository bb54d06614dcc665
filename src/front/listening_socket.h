#pragma once

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "front/descriptor.h"

namespace todo::front {

struct ListeningSocket {
  Descriptor socket;  // not blocking
  int port = 0;
};

/// Opens a port for connections. `address` is an IP address or a name of this machine; the wildcard
/// of either family means both families, where the machine has both. `port` 0: any free one.
/// kUnavailable, with the cause alone as its text: the port cannot be opened.
absl::StatusOr<ListeningSocket> OpenListeningSocket(const std::string& address, int port);

/// "10.0.0.7" or "2001:db8::7"; a v4 address in a v6 one is written as v4.
std::string AddressText(const sockaddr_storage& address);

}  // namespace todo::front
