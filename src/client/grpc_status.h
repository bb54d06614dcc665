#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace todo::client {

/// The one translation of what a sidecar call came to: same code, same message; OK is OK. A code
/// that gRPC does not define becomes kUnknown.
absl::Status FromGrpc(const grpc::Status& status);

/// Whether the sidecar does not know the method that was called: an older or a newer one.
bool IsUnknownMethod(const grpc::Status& status);

}  // namespace todo::client
