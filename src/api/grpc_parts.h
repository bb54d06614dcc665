#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

// Parts that unary calls and streams of the gRPC door have in common. All are pure functions.

namespace todo::api {

/// `status` as EncodeStatus shows it to callers.
grpc::Status ToGrpcStatus(const absl::Status& status);

/// Parses `bytes`, which stay as they are. An error is for the caller: see ExplainMalformed.
/// kResourceExhausted with reason MESSAGE_TOO_LONG: more than kMaxRequestBytes.
absl::Status ParseBytes(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

/// kInternal: the message cannot be serialised.
absl::Status SerializeInto(const google::protobuf::Message& message, grpc::ByteBuffer& bytes);

}  // namespace todo::api
