#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ports/record_handler.h"

namespace todo::appcallback {

/// One topic of one pub/sub component, and the handler of its records. The sidecar delivers from
/// several components through the same call; two components may have topics of one name.
struct Subscription {
  std::string pubsub;  // the Dapr component
  std::string topic;
  std::string route;  // the path under which the sidecar knows the subscription
  ports::RecordHandler* handler = nullptr;
  /// The handler does not block. So it is called on gRPC's thread, and its records wait neither for
  /// a worker nor for the database.
  bool does_not_block = false;
  /// How long the sidecar may collect records for one call; nullopt: as the options say.
  std::optional<std::chrono::milliseconds> bulk_max_await = {};
};

}  // namespace todo::appcallback
