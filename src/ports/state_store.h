#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace todo::ports {

struct StateValue {
  std::string data;
  std::string etag;  // of this very value; opaque
};

/// Small values under keys, kept by the sidecar's state store.
/// Thread safety: all methods may be called from many threads at once. All block, with a deadline
/// of their own. All can answer kUnavailable: the store cannot do it now, whatever the reason.
class StateStore {
 public:
  virtual ~StateStore() = default;

  /// What is there of `keys`; those that are not are missing.
  virtual absl::StatusOr<std::map<std::string, StateValue>> Read(
      const std::vector<std::string>& keys) = 0;

  /// Writes `data` if the value's etag still is `etag`; empty: if there is no value yet. kAborted:
  /// it is not; read again. kUnavailable: it may or may not have been written.
  virtual absl::Status Write(const std::string& key, const std::string& data,
                             const std::string& etag) = 0;
};

}  // namespace todo::ports
