#include "api/grpc_door.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "api/answer_reactor.h"
#include "api/malformed_request.h"
#include "api/status_encoding.h"
#include "util/digest.h"

namespace todo::api {
namespace {

using google::protobuf::Message;
using MessageTraits = grpc::SerializationTraits<Message>;

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status encoded = EncodeStatus(status);
  return {static_cast<grpc::StatusCode>(encoded.code()), encoded.message(),
          encoded.SerializeAsString()};
}

std::vector<std::string> ValuesOf(const grpc::CallbackServerContext& context,
                                  std::string_view name) {
  std::vector<std::string> values;
  const auto [first, last] =
      context.client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto it = first; it != last; ++it) values.emplace_back(it->second.data(), it->second.size());
  return values;
}

/// Whose answers the budget counts together. Known before the caller is: what it shows as its
/// identity, as a digest, because tokens are long and secret.
std::string HolderOf(const CallHeaders& headers) {
  const auto& [authorization, user_ids, user_roles] = headers.credentials;
  if (!authorization.empty()) return util::Sha256(authorization.front());
  return user_ids.empty() ? std::string() : util::Sha256(user_ids.front());
}

/// gRPC keeps context, request and response until the reactor is finished, and may destroy them at
/// any moment after that.
class GrpcCall final : public PendingCall {
 public:
  GrpcCall(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
           grpc::ByteBuffer* response, AnswerReactor* reactor)
      : context_(context), reactor_(reactor), request_(request), response_(response) {}

  bool IsCancelled() const override { return context_->IsCancelled(); }
  std::chrono::system_clock::time_point Deadline() const override { return context_->deadline(); }

  absl::Status ParseRequest(Message& request) override {
    grpc::ByteBuffer bytes(*request_);  // parsing takes the buffer's slices away
    if (MessageTraits::Deserialize(&bytes, &request).ok()) return absl::OkStatus();
    grpc::Slice slice;
    std::string_view view;
    if (request_->DumpToSingleSlice(&slice).ok())
      view = {reinterpret_cast<const char*>(slice.begin()), slice.size()};
    return ExplainMalformed(view, *request.GetDescriptor());
  }

  absl::Status EncodeResponse(const Message& response) override {
    bool own_buffer = false;
    if (MessageTraits::Serialize(response, response_, &own_buffer).ok()) return absl::OkStatus();
    return absl::InternalError("api: the response could not be serialised");
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

/// One service of the table.
class DoorService final : public grpc::Service {
 public:
  /// gRPC takes raw bytes, not messages: a request that gRPC itself could not parse would be
  /// answered with an empty UNIMPLEMENTED, and its parsing would happen on gRPC's thread.
  void Add(const Method& method, const Admission& admission, AnswerBudget& budget) {
    AddMethod(new grpc::internal::RpcServiceMethod(method.path.c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        count_++, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                      [&method, &admission, &budget](grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
                        const CallHeaders headers = ReadHeaders(
                            [context](std::string_view name) { return ValuesOf(*context, name); });
                        auto* const reactor = new AnswerReactor(context, HolderOf(headers), budget);
                        auto call = std::make_unique<GrpcCall>(context, request, response, reactor);
                        admission.Submit(method, headers, std::move(call));
                        return reactor;
                      }));
  }

 private:
  int count_ = 0;
};

}  // namespace

GrpcDoor::GrpcDoor(const MethodTable& methods, const Admission& admission) {
  DoorService* service = nullptr;
  std::string_view name;
  for (const Method& method : methods.methods()) {
    if (method.service != name) {
      auto added = std::make_unique<DoorService>();
      service = added.get();
      name = method.service;
      services_.push_back(std::move(added));
    }
    service->Add(method, admission, budget_);
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
