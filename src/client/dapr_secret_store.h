#pragma once

#include <chrono>
#include <map>
#include <string>

#include "client/dapr_client.h"
#include "ports/secret_store.h"
#include "util/guarded.h"

namespace todo::client {

/// SecretStore through the sidecar's Secrets API: the entries of one secret, which is read as a
/// whole and cached for a short time. Blocks up to `timeout`. Thread safety: as the port says.
class DaprSecretStore final : public ports::SecretStore {
 public:
  struct Options {
    std::string component = "kubernetes-secrets";
    std::string secret = "todo-secrets";
    std::chrono::milliseconds timeout{3'000};
    std::chrono::seconds cache_time{60};
  };
  /// `client` must outlive this.
  DaprSecretStore(DaprClient& client, Options options)
      : client_(client), options_(std::move(options)) {}

  /// The entry `name`. kNotFound: there is no such entry or no such secret. kUnavailable: any other
  /// failure, including an absent component and a refused access.
  absl::StatusOr<std::string> Get(const std::string& name) override;

 private:
  struct Cached {
    std::map<std::string, std::string> entries;
    std::chrono::steady_clock::time_point until;
  };
  DaprClient& client_;
  const Options options_;
  util::Guarded<Cached> cached_;
};

}  // namespace todo::client
