#pragma once

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
};

}  // namespace todo::appcallback
