#pragma once

#include <optional>
#include <string>
#include <vector>

#include "util/http_exchange.h"

namespace todo::edge {

/// Which pages of other sites a browser may let call this server (CORS), and under which names of
/// its own the server answers. Pure.
class OriginPolicy {
 public:
  struct Options {
    /// Such as "https://app.example.org". The pages of all other origins cannot read answers.
    std::vector<std::string> allowed_origins;
    /// The host field must be a loopback name. Else a page of any site could point a name of its
    /// own at the loopback address (DNS rebinding) and call as if it were of the same origin.
    bool loopback_names_only = false;
  };

  explicit OriginPolicy(Options options) : options_(std::move(options)) {}

  /// The answer to a request that does not concern the handler: a refused host, or a browser's
  /// question whether it may send a request (preflight).
  std::optional<util::HttpResponse> Answer(const util::HttpRequestHead& head) const;

  /// Fields that belong into every response to this request.
  util::HttpHeaders FieldsFor(const util::HttpRequestHead& head) const;

 private:
  bool Allows(std::string_view origin) const;

  const Options options_;
};

}  // namespace todo::edge
