#pragma once

#include <optional>
#include <string>

#include "domain/ids.h"
#include "util/cancellation.h"

namespace todo::service {

/// The circumstances of one call of a use case. A door makes it; use cases pass it on.
struct CallContext {
  domain::UserId user;  // the caller
  /// The caller's id for a change: a second call with this id and an equal fingerprint is a
  /// repetition and gets the first answer. nullopt: the call cannot be repeated safely.
  std::optional<domain::RequestId> request_id;
  /// Bytes that are equal for calls with equal content, the request id left out. Opaque to use
  /// cases: each door may have its own way to make them.
  std::string fingerprint;
  std::string traceparent;  // W3C, or empty
  /// For work that may take long and only reads. A change goes on when its caller has gone.
  util::Cancellation cancellation = {};
};

}  // namespace todo::service
