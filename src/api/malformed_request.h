#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"

namespace todo::api {

/// Why `bytes` could not be parsed as a message of type `type`. Always kInvalidArgument, and where
/// the reason is text that is not UTF-8, with a violation for each such field. Slow, bounded by the
/// size of the request.
absl::Status ExplainMalformed(const grpc::ByteBuffer& bytes,
                              const google::protobuf::Descriptor& type);

}  // namespace todo::api
