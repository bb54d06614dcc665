#pragma once

#include <grpcpp/impl/service_type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/admission.h"
#include "api/answer_budget.h"
#include "api/method.h"

namespace todo::api {

/// Offers all methods of a table as gRPC services. Every call goes through admission; no other
/// handler can be registered. Thread safety: gRPC calls from many threads at once. Never blocks
/// gRPC's threads. Answers that clients do not read are bounded, see AnswerBudget.
class GrpcDoor {
 public:
  /// `methods` and `admission` must outlive every server with these services. If `app_token` is
  /// set, every call must carry it as `dapr-api-token`, as the sidecar does: a call without it is
  /// UNAUTHENTICATED with reason APP_TOKEN_MISSING, whoever the caller is.
  GrpcDoor(const MethodTable& methods, const Admission& admission, std::string app_token = {});
  ~GrpcDoor();
  GrpcDoor(const GrpcDoor&) = delete;
  GrpcDoor& operator=(const GrpcDoor&) = delete;

  /// One gRPC service for each service of the table, for grpc::ServerBuilder::RegisterService. The
  /// door owns them and must outlive the server.
  std::vector<grpc::Service*> services() const;

  /// Answers that were cancelled because their callers left too much unread. Thread-safe.
  std::uint64_t cancelled_answer_count() { return budget_.cancelled_count(); }
  /// Of answers and ends of streams that their callers have not read yet. Thread-safe.
  std::size_t unread_bytes() { return budget_.held_bytes(); }

 private:
  const std::string app_token_;
  AnswerBudget budget_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
};

}  // namespace todo::api
