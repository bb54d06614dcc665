#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace todo::ports {

struct StateValue {
  std::string data;
  std::string etag;  // opaque; changes with every write
};

/// Small values under keys, kept by the sidecar's state store.
/// Thread safety: all methods may be called from many threads at once. All block, with a deadline
/// of their own. kUnavailable, from all: the store cannot do it now; try again later.
class StateStore {
 public:
  virtual ~StateStore() = default;

  /// The values of `keys`. A key without a value is missing from the answer.
  virtual absl::StatusOr<std::map<std::string, StateValue>> Read(
      const std::vector<std::string>& keys) = 0;

  /// Writes `data` if the value still has this `etag`, or, with an empty `etag`, if the key has no
  /// value yet. kAborted: the value has changed; read it again. kUnavailable: the value may or may
  /// not have been written.
  /// With a `ttl` (whole seconds, > 0) the value is gone after that time.
  virtual absl::Status Write(const std::string& key, const std::string& data,
                             const std::string& etag,
                             std::optional<std::chrono::seconds> ttl = std::nullopt) = 0;
};

}  // namespace todo::ports
