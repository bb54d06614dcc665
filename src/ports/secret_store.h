#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace todo::ports {

/// Keys and passwords, kept by the sidecar's secret store.
/// Thread safety: may be called from many threads at once. Blocks, with a deadline of its own.
class SecretStore {
 public:
  virtual ~SecretStore() = default;

  /// The value of `name`, perhaps as it was a minute ago. kNotFound: there is none. kUnavailable:
  /// the store cannot say now.
  virtual absl::StatusOr<std::string> Get(const std::string& name) = 0;
};

}  // namespace todo::ports
