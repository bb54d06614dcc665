#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace todo::ports {

/// Keys and passwords, kept by the sidecar's secret store.
/// Thread safety: may be called from many threads at once. Blocks, with a deadline of its own.
class SecretStore {
 public:
  virtual ~SecretStore() = default;

  /// The value of the secret `name`; it may be up to a minute old. kNotFound: there is no such
  /// secret. kUnavailable: the store cannot answer now; ask again later.
  virtual absl::StatusOr<std::string> Get(const std::string& name) = 0;
};

}  // namespace todo::ports
