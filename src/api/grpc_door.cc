#include "api/grpc_door.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "api/answer_reactor.h"
#include "api/grpc_parts.h"
#include "api/grpc_stream.h"
#include "util/same_secret.h"
#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::Message;

std::vector<std::string> ValuesOf(const grpc::CallbackServerContext& context,
                                  std::string_view name) {
  std::vector<std::string> values;
  const auto [first, last] =
      context.client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto it = first; it != last; ++it) values.emplace_back(it->second.data(), it->second.size());
  return values;
}

/// The holder of the call's answer in the budget. Callers who are not known share one: their
/// answers are short refusals, and no text of theirs may count as another holder.
std::string HolderOf(const absl::StatusOr<KnownCaller>& caller) {
  return caller.ok() ? caller->identity.user.value : std::string();
}

/// gRPC keeps context, request and response until the reactor is finished, and may destroy them at
/// any moment after that.
class GrpcCall final : public PendingUnary {
 public:
  GrpcCall(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
           grpc::ByteBuffer* response, AnswerReactor* reactor)
      : context_(context), reactor_(reactor), request_(request), response_(response) {}

  bool IsCancelled() const override { return context_->IsCancelled(); }
  std::chrono::system_clock::time_point Deadline() const override { return context_->deadline(); }

  absl::Status ParseRequest(Message& request) override { return ParseBytes(*request_, request); }

  absl::Status EncodeResponse(const Message& response) override {
    return SerializeInto(response, *response_);
  }

  void Finish(const absl::Status& status) override {
    reactor_->Send(ToGrpcStatus(status), status.ok() ? response_->Length() : 0);
  }

 private:
  grpc::CallbackServerContext* const context_;
  AnswerReactor* const reactor_;
  const grpc::ByteBuffer* const request_;
  grpc::ByteBuffer* const response_;
};

CallHeaders HeadersOf(const grpc::CallbackServerContext& context) {
  return ReadHeaders([&](std::string_view name) { return ValuesOf(context, name); });
}

/// The parts of a door that its services share.
struct DoorParts {
  const Admission& admission;
  const std::string& app_token;  // see GrpcDoor
  AnswerBudget& budget;
};

absl::StatusOr<KnownCaller> Identify(const DoorParts& door, const Method& method,
                                     const grpc::CallbackServerContext& context) {
  const std::string& token = door.app_token;
  const auto is_token = [&](const std::string& given) { return util::IsSameSecret(given, token); };
  if (!token.empty() && std::ranges::none_of(ValuesOf(context, "dapr-api-token"), is_token)) {
    return util::WithReason(
        absl::UnauthenticatedError("this port is for the sidecar: the app token (dapr-api-token) "
                                   "is missing or wrong; users call the api port"),
        "APP_TOKEN_MISSING");
  }
  return door.admission.Identify(method, HeadersOf(context));
}

using grpc::internal::RpcMethod;
using UnaryHandler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
using StreamingHandler =
    grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

/// One service of the table. gRPC takes raw bytes, not messages: a request that gRPC itself could
/// not parse would be answered with an empty UNIMPLEMENTED, and its parsing would happen on gRPC's
/// thread.
class DoorService final : public grpc::Service {
 public:
  /// The door must outlive the service.
  explicit DoorService(const DoorParts& door) : door_(door) {}

  void Add(const Method& method) {
    if (method.streams()) {
      AddStream(method);
    } else {
      AddUnary(method);
    }
  }

 private:
  void AddUnary(const Method& method) {
    AddHandler(method, RpcMethod::NORMAL_RPC,
               new UnaryHandler([&method, door = door_](grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request,
                                                        grpc::ByteBuffer* response) {
                 absl::StatusOr<KnownCaller> caller = Identify(door, method, *context);
                 auto* const reactor = new AnswerReactor(context, HolderOf(caller), door.budget);
                 auto call = std::make_unique<GrpcCall>(context, request, response, reactor);
                 if (caller.ok()) {
                   door.admission.Submit(method, *std::move(caller),
                                         std::unique_ptr<PendingUnary>(std::move(call)));
                 } else {
                   call->Finish(caller.status());
                 }
                 return reactor;
               }));
  }

  void AddStream(const Method& method) {
    AddHandler(method, RpcMethod::SERVER_STREAMING,
               new StreamingHandler([&method, door = door_](grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request) {
                 absl::StatusOr<KnownCaller> caller = Identify(door, method, *context);
                 GrpcStream stream =
                     MakeGrpcStream(context, request, HolderOf(caller), door.budget);
                 if (caller.ok()) {
                   door.admission.Submit(method, *std::move(caller), std::move(stream.call));
                 } else {
                   stream.call->Finish(caller.status());
                 }
                 return stream.reactor;
               }));
  }

  void AddHandler(const Method& method, RpcMethod::RpcType type,
                  grpc::internal::MethodHandler* handler) {
    AddMethod(new grpc::internal::RpcServiceMethod(method.path.c_str(), type, nullptr));
    MarkMethodRawCallback(count_++, handler);
  }

  const DoorParts door_;
  int count_ = 0;
};

}  // namespace

GrpcDoor::GrpcDoor(const MethodTable& methods, const Admission& admission, std::string app_token)
    : app_token_(std::move(app_token)) {
  DoorService* service = nullptr;
  std::string_view name;
  for (const Method& method : methods.methods()) {
    if (method.service != name) {
      auto added = std::make_unique<DoorService>(DoorParts{admission, app_token_, budget_});
      service = added.get();
      name = method.service;
      services_.push_back(std::move(added));
    }
    service->Add(method);
  }
}

GrpcDoor::~GrpcDoor() = default;

std::vector<grpc::Service*> GrpcDoor::services() const {
  std::vector<grpc::Service*> services;
  services.reserve(services_.size());
  for (const auto& service : services_) services.push_back(service.get());
  return services;
}

}  // namespace todo::api
