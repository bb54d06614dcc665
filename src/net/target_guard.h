#pragma once

#include <curl/curl.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/ip_address.h"

namespace todo::net {

/// Where a URL leads, as libcurl's own parser reads it. The transfer gets the parsed URL, not the
/// text, so there is no second reading that could differ.
struct Target {
  struct FreeUrl {
    void operator()(CURLU* parsed) const { curl_url_cleanup(parsed); }
  };
  std::unique_ptr<CURLU, FreeUrl> url;
  std::string host;    // lower case, ASCII, without the final dot of the root
  std::string origin;  // "https://push.example" or "https://push.example:8443"
  bool encrypted = false;
};

/// kPermissionDenied, with what is wrong, for anything but a URL of http or https without user and
/// password.
absl::StatusOr<Target> ParseTarget(std::string_view url);

/// Decides whom we talk to when a user names the target: hosts of the public internet over https,
/// and whatever the operator's list names, over http too. A host name alone decides nothing unless
/// it is on the list: MayConnect is asked about the address that is about to be connected to.
/// Thread safety: all methods may be called from many threads at once. Does not block.
class TargetGuard {
 public:
  /// `allowed` lists host names ("hooks.internal"; exactly that name, whatever it resolves to),
  /// addresses and blocks ("10.0.0.0/8"). kInvalidArgument names the entry that is none of these.
  static absl::StatusOr<TargetGuard> Create(const std::vector<std::string>& allowed);

  /// Whether MayConnect could agree to any address that `target` can lead to: a name may lead
  /// anywhere, an address only to itself, `localhost` and names that end in it only to this
  /// machine. A user hears of it when a URL is given; it guards nothing.
  absl::Status MayEver(const Target& target) const;

  /// OK, or kPermissionDenied with the reason. The reason does not name the address: a user shall
  /// not learn what the names of our network resolve to.
  absl::Status MayConnect(const Target& target, const IpAddress& address) const;

 private:
  TargetGuard() = default;

  std::set<std::string> names_;
  std::vector<IpBlock> blocks_;
};

}  // namespace todo::net
