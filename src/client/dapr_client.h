#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dapr/proto/runtime/v1/dapr.grpc.pb.h"

namespace todo::client {

/// The sidecar's description of itself.
struct SidecarMetadata {
  struct Component {
    std::string name;
    std::string type;  // such as "pubsub.kafka"
    std::string version;
  };
  struct Rule {
    std::string match;  // empty: always
    std::string path;
  };
  struct Subscription {
    std::string pubsub_name;
    std::string topic;
    std::vector<Rule> rules;
    std::string dead_letter_topic;  // empty: none
  };

  std::string app_id;
  std::string runtime_version;
  std::vector<Component> components;
  std::vector<Subscription> subscriptions;  // empty until the sidecar has asked the app for them
};

/// The connection to the sidecar: one gRPC channel, and the context of each call. It connects by
/// itself, within about a second after the sidecar is back; until then calls fail at once with
/// kUnavailable. Adapters of parts of Dapr's API, such as DaprPublisher, use it; it must outlive
/// them. Thread safety: may be used from many threads at once.
class DaprClient {
 public:
  using Stub = dapr::proto::runtime::v1::Dapr::Stub;

  struct Options {
    std::string endpoint =
        "127.0.0.1:50001";    // the sidecar's gRPC port; no TLS, so it must be on this machine
    std::string api_token{};  // sent with every call; empty: none
    std::chrono::milliseconds metadata_timeout{2'000};
  };

  explicit DaprClient(Options options);
  DaprClient(const DaprClient&) = delete;
  DaprClient& operator=(const DaprClient&) = delete;

  /// Asks the sidecar about itself. Blocks up to `metadata_timeout`.
  /// kUnavailable: there is no sidecar (yet), repeat. kDeadlineExceeded: it hangs, repeat.
  /// kUnauthenticated: it requires another token. Other statuses are the sidecar's own.
  absl::StatusOr<SidecarMetadata> GetMetadata();

  /// For adapters: the context of a call with token and current trace; it ends after `timeout`.
  std::unique_ptr<grpc::ClientContext> NewContext(std::chrono::milliseconds timeout) const;
  Stub& stub() { return *stub_; }

 private:
  const Options options_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace todo::client
