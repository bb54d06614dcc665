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

#include "api/malformed_request.h"
#include "api/status_encoding.h"

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

/// gRPC keeps context, request and response until the reactor is finished, and may destroy them at
/// any moment after that.
class GrpcCall final : public PendingCall {
 public:
  GrpcCall(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
           grpc::ByteBuffer* response)
      : context_(context),
        reactor_(context->DefaultReactor()),
        request_(request),
        response_(response) {}

  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

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

  void Finish(const absl::Status& status) override { reactor_->Finish(ToGrpcStatus(status)); }

 private:
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  const grpc::ByteBuffer* const request_;
  grpc::ByteBuffer* const response_;
};

/// One service of the table.
class DoorService final : public grpc::Service {
 public:
  /// gRPC takes raw bytes, not messages: a request that gRPC itself could not parse would be
  /// answered with an empty UNIMPLEMENTED, and its parsing would happen on gRPC's thread.
  void Add(const Method& method, const Admission& admission) {
    AddMethod(new grpc::internal::RpcServiceMethod(method.path.c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        count_++,
        new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
            [&method, &admission](grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
              auto call = std::make_unique<GrpcCall>(context, request, response);
              grpc::ServerUnaryReactor* const reactor = call->reactor();
              const CallHeaders headers = ReadHeaders(
                  [context](std::string_view name) { return ValuesOf(*context, name); });
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
    service->Add(method, admission);
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
