#include "api/grpc_parts.h"

#include <fmt/format.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>

#include <string_view>

#include "api/connect/error.h"
#include "api/malformed_request.h"
#include "api/method.h"
#include "api/status_encoding.h"
#include "util/status.h"

namespace todo::api {

using google::protobuf::Message;
using MessageTraits = grpc::SerializationTraits<Message>;

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status encoded = EncodeStatus(status);
  return {static_cast<grpc::StatusCode>(encoded.code()), encoded.message(),
          encoded.SerializeAsString()};
}

absl::Status ParseBytes(const grpc::ByteBuffer& bytes, Message& request) {
  // The app port takes longer messages than these calls may have.
  if (bytes.Length() > kMaxRequestBytes) {
    return util::WithReason(
        util::MakeStatus(absl::StatusCode::kResourceExhausted,
                         fmt::format("the message is longer than {} bytes", kMaxRequestBytes)),
        connect::kMessageTooLong);
  }
  grpc::ByteBuffer copy(bytes);  // parsing takes the buffer's slices away
  if (MessageTraits::Deserialize(&copy, &request).ok()) return absl::OkStatus();
  grpc::Slice slice;
  std::string_view view;
  if (bytes.DumpToSingleSlice(&slice).ok())
    view = {reinterpret_cast<const char*>(slice.begin()), slice.size()};
  return ExplainMalformed(view, *request.GetDescriptor());
}

absl::Status SerializeInto(const Message& message, grpc::ByteBuffer& bytes) {
  bool own_buffer = false;
  if (MessageTraits::Serialize(message, &bytes, &own_buffer).ok()) return absl::OkStatus();
  return absl::InternalError("api: the response could not be serialised");
}

}  // namespace todo::api
