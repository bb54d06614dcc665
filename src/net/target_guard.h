#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/ip_address.h"
#include "net/target.h"

namespace todo::net {

/// Decides which targets may be connected to when users name them: hosts of the public internet
/// over https, and hosts on the operator's list over https or http. A host name decides nothing
/// unless it is on the list: MayConnect judges the address that is about to be connected to.
/// Thread safety: all methods may be called from many threads at once. Does not block.
class TargetGuard {
 public:
  /// Each entry of `allowed` is a host name ("hooks.internal": this name only, whatever addresses
  /// it has), an address, or a block of addresses ("10.0.0.0/8"). kInvalidArgument names the first
  /// entry that is none of these.
  static absl::StatusOr<TargetGuard> Create(const std::vector<std::string>& allowed);

  /// kPermissionDenied when MayConnect would refuse every address that `target` can lead to, with a
  /// reason for the user who gives the URL. A name can lead to any address, an address to itself,
  /// `localhost` and names below it to this machine. An OK promises nothing: only MayConnect
  /// guards.
  absl::Status MayEver(const Target& target) const;

  /// kPermissionDenied when `target` must not be connected to at `address`, with the reason. The
  /// reason does not name the address: users must not learn how our network resolves names.
  absl::Status MayConnect(const Target& target, const IpAddress& address) const;

 private:
  TargetGuard() = default;

  std::set<std::string> names_;
  std::vector<IpBlock> blocks_;
};

}  // namespace todo::net
