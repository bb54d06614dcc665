#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "client/dapr_client.h"
#include "ports/state_store.h"

namespace todo::client {

/// StateStore through the sidecar's State API, with strong consistency. Every failure except a
/// changed etag is kUnavailable: the data are not at fault when the sidecar, or the component
/// behind it, is away. Blocks up to `timeout`. Thread safety: as the port says.
class DaprStateStore final : public ports::StateStore {
 public:
  struct Options {
    std::string component = "statestore";
    std::chrono::milliseconds timeout{2'000};  // of each call
  };
  /// `client` must outlive this.
  DaprStateStore(DaprClient& client, Options options)
      : client_(client), options_(std::move(options)) {}

  absl::StatusOr<std::map<std::string, ports::StateValue>> Read(
      const std::vector<std::string>& keys) override;
  absl::Status Write(const std::string& key, const std::string& data, const std::string& etag,
                     std::optional<std::chrono::seconds> ttl = std::nullopt) override;

 private:
  DaprClient& client_;
  const Options options_;
};

}  // namespace todo::client
