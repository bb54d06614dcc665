#pragma once

#include <chrono>
#include <map>
#include <string>

#include "client/dapr_client.h"
#include "ports/secret_store.h"
#include "util/guarded.h"

namespace todo::client {

/// SecretStore by the sidecar's Secrets API: the keys of one secret, which is read whole and
/// remembered for a short time. Thread safety: as the port says.
class DaprSecretStore final : public ports::SecretStore {
 public:
  struct Options {
    std::string component = "kubernetes-secrets";
    std::string secret = "todo-secrets";
    std::chrono::milliseconds timeout{3'000};
    std::chrono::seconds remember{60};
  };
  /// `client` must outlive this.
  DaprSecretStore(DaprClient& client, Options options)
      : client_(client), options_(std::move(options)) {}

  /// kNotFound, also when the component has no such secret. kUnavailable: anything else, an absent
  /// component or a refused access among it.
  absl::StatusOr<std::string> Get(const std::string& name) override;

 private:
  struct Remembered {
    std::map<std::string, std::string> keys;
    std::chrono::steady_clock::time_point until;
  };
  DaprClient& client_;
  const Options options_;
  util::Guarded<Remembered> remembered_;
};

}  // namespace todo::client
