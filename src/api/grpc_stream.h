#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <string>

#include "api/admission.h"
#include "api/answer_budget.h"

namespace todo::api {

/// Answers that wait in one stream for their caller to read them. A caller that leaves more unread
/// is cut off, and sees CANCELLED: a status of ours would have to wait behind what is unread.
inline constexpr std::size_t kMaxUnreadStreamBytes = 1024 * 1024;

/// A call of a server stream that gRPC hands over: the call for Admission, and the reactor for
/// gRPC. `context` and `request` are gRPC's, and live until the stream is finished. All that is
/// unread, and the end of the stream, count in `budget` for `holder` until the caller has read
/// them. `budget` must outlive the stream.
struct GrpcStream {
  std::unique_ptr<PendingStream> call;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* reactor = nullptr;
};
GrpcStream MakeGrpcStream(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                          std::string holder, AnswerBudget& budget);

}  // namespace todo::api
