#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct Curl_URL;  // libcurl's parsed URL

namespace todo::net {

/// Where a URL leads, as libcurl's own parser reads it. The transfer gets the parsed URL and not
/// the text, so no second reading can differ from the one that a guard has judged.
struct Target {
  struct FreeUrl {
    void operator()(Curl_URL* parsed) const;
  };
  std::unique_ptr<Curl_URL, FreeUrl> url;
  std::string host;    // lower case, ASCII, without the final dot of the root
  std::string origin;  // "https://push.example" or "https://push.example:8443"
  bool encrypted = false;
};

/// Reads a URL of http or https without user and password. Anything else is kPermissionDenied, with
/// a reason for the person who gave the URL. Does not block.
absl::StatusOr<Target> ParseTarget(std::string_view url);

}  // namespace todo::net
