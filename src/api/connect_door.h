#pragma once

#include <string_view>
#include <variant>

#include "api/admission.h"
#include "api/connect/handler.h"
#include "api/method.h"
#include "api/status_encoding.h"
#include "util/http_exchange.h"

namespace todo::api {

/// Offers all methods of a table over HTTP by the Connect protocol. The head of a request decides
/// about route and caller, before its body is read; every call then goes through admission. Errors
/// have the codes, messages and details that gRPC shows. Thread safety: as HttpHandler.
class ConnectDoor final : public util::HttpHandler, private connect::Methods {
 public:
  /// `methods` and `admission` must outlive the door and every call.
  ConnectDoor(const MethodTable& methods, const Admission& admission)
      : methods_(methods), admission_(admission) {}

  util::HttpDecision Decide(const util::HttpRequestHead& head) override {
    return handler_.Decide(head);
  }

 private:
  absl::StatusOr<connect::MethodShape> Find(std::string_view path) const override;
  std::variant<connect::Route, google::rpc::Status> Accept(
      const util::HttpRequestHead& head) override;

  const MethodTable& methods_;
  const Admission& admission_;
  connect::Handler handler_{*this, {.max_message_bytes = kMaxRequestBytes, .encode = EncodeStatus}};
};

}  // namespace todo::api
