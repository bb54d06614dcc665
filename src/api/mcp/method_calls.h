#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/method.h"
#include "google/protobuf/message.h"

namespace todo::api::mcp {

/// The methods of the API, for the caller of an admitted call and on its worker: each handler runs
/// here, with the caller's identity, trace and cancellation, and with the request id of its own
/// request. Failures inside are logged under the name of the method. Thread safety: one thread.
class MethodCalls {
 public:
  /// Both must outlive this.
  MethodCalls(const MethodTable& methods, const Caller& caller)
      : methods_(methods), caller_(caller) {}

  const Caller& caller() const { return caller_; }

  /// Calls the unary method at `path`, such as "/todo.v1.TodoService/GetTask", whose response is a
  /// Response. Blocks as the method does. An exception of the handler is kInternal.
  /// kUnimplemented: the table has no such method.
  template <typename Response>
  absl::StatusOr<Response> Call(std::string_view path,
                                const google::protobuf::Message& request) const {
    return CallFor<Response>("", path, request);
  }

  /// As Call, for a request that was made from `content`: calls with an equal content and request
  /// id are one, even when the requests that were made of it differ.
  template <typename Response>
  absl::StatusOr<Response> CallFor(const std::string& content, std::string_view path,
                                   const google::protobuf::Message& request) const {
    Response response;
    if (absl::Status status = Run(content, path, request, response); !status.ok()) return status;
    return response;
  }

 private:
  /// `content` is empty: the request is the content.
  absl::Status Run(const std::string& content, std::string_view path,
                   const google::protobuf::Message& request,
                   google::protobuf::Message& response) const;

  const MethodTable& methods_;
  const Caller& caller_;
};

}  // namespace todo::api::mcp
