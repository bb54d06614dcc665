#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace todo::client {

/// Translates the status of a sidecar call: code and message stay. A code that gRPC does not define
/// becomes kUnknown.
absl::Status FromGrpc(const grpc::Status& status);

/// Whether the sidecar, older or newer than expected, does not know the method that was called.
bool IsUnknownMethod(const grpc::Status& status);

}  // namespace todo::client
