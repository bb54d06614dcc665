#pragma once

#include <cstddef>
#include <stop_token>

// What the process takes from the machine, and gives back.

namespace todo::app {

/// Raises the limit of open descriptors as far as the machine allows, to 65,536 at most. Returns
/// the limit that holds from now on.
std::size_t RaiseDescriptorLimit();

/// The connections that a port may have. On a gRPC port, as many again may wait for their first
/// word.
struct ConnectionShares {
  std::size_t api = 0;
  std::size_t app = 0;
  std::size_t web = 0;
};

/// The shares under a limit of descriptors. The web port has `wanted_web`, but at most a quarter of
/// the descriptors or all but 9,000, whichever is more. The gRPC ports together have half of the
/// rest. The other half stays for everything else: the database, the sidecar, the ops port, key
/// sets, files, and connections that have ended before gRPC has let go of them.
ConnectionShares ConnectionSharesOf(std::size_t descriptor_limit, std::size_t wanted_web);

/// Bounds the number of malloc's arenas, each of which keeps what its threads have freed. Call
/// before the first thread starts.
void LimitMallocArenas();

/// Gives memory that a burst left behind back to the machine, every few seconds, until `stop`.
void ReturnFreeMemory(const std::stop_token& stop);

}  // namespace todo::app
